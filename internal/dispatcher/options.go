package dispatcher

import (
	"errors"
	"fmt"
	"time"
)

// Options are the dispatcher's own settings. DefaultOptions gives what is used where nothing is said.
type Options struct {
	// Campaign, when set, is the only campaign served: Run returns when it is drained (a Job).
	Campaign string
	// Concurrency is the size of the pool: how many recipients are sent to at a time.
	Concurrency int
	// Claim bounds the recipients taken by one claim.
	Claim int
	// AckInterval and AckBatch bound how long and how many outcomes wait to be written together.
	// What waits here is what a crash repeats, beside what is on the wire.
	AckInterval time.Duration
	AckBatch    int
	// Lease is how long a claim is ours without being extended; the same value as the queue's.
	Lease time.Duration
	// Poll is how soon an empty campaign is looked at again.
	Poll time.Duration
	// Discover is how often the running campaigns are looked up.
	Discover time.Duration
	// Retry says when a recipient is tried again, and when no more.
	Retry Retry
}

// DefaultOptions serve every running campaign with 500 pushes in flight.
func DefaultOptions() Options {
	return Options{
		Concurrency: 500,
		Claim:       200,
		AckInterval: 20 * time.Millisecond,
		AckBatch:    200,
		Lease:       15 * time.Second,
		Poll:        250 * time.Millisecond,
		Discover:    2 * time.Second,
		Retry:       DefaultRetry(),
	}
}

// ahead is how many recipients are held beside those in the pool, so that nobody in it waits for a claim: one claim, and
// with a small pool a fifth of it, for what is held here another process does not have.
func (o Options) ahead() int { return min(o.Claim, o.Concurrency/5) }

func (o Options) validate() error {
	var errs []error
	positive := func(name string, value int64) {
		if value <= 0 {
			errs = append(errs, fmt.Errorf("%s must be above zero, is %d", name, value))
		}
	}
	positive("concurrency", int64(o.Concurrency))
	positive("claim", int64(o.Claim))
	positive("ack interval", int64(o.AckInterval))
	positive("ack batch", int64(o.AckBatch))
	positive("lease", o.Lease.Milliseconds())
	positive("poll", int64(o.Poll))
	positive("discover", int64(o.Discover))
	errs = append(errs, o.Retry.validate())
	return errors.Join(errs...)
}
