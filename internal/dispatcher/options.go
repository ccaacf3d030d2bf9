package dispatcher

import (
	"errors"
	"fmt"
	"time"
)

// Options are the dispatcher's settings; DefaultOptions has the defaults.
type Options struct {
	// Campaign, when set, is the only campaign served: Run returns when it is drained (a Job).
	Campaign string
	// Concurrency is the size of the pool: the most pushes at one time.
	Concurrency int
	// Claim limits the recipients taken by one claim.
	Claim int
	// AckInterval and AckBatch limit how long and how many outcomes wait to be written together. A
	// crash repeats these pushes, and those on the wire.
	AckInterval time.Duration
	AckBatch    int
	// Lease is the TTL of a claim that is not extended. It is the same as the queue's.
	Lease time.Duration
	// Poll is the delay before an empty campaign is claimed from again.
	Poll time.Duration
	// Discover is the interval of the searches for running campaigns.
	Discover time.Duration
	// Retry says when a recipient is tried again, and for how long.
	Retry Retry
}

// DefaultOptions serve every running campaign with 500 pushes in flight.
func DefaultOptions() Options {
	return Options{
		Concurrency: 500,
		Claim:       250,
		AckInterval: 20 * time.Millisecond,
		AckBatch:    250,
		Lease:       15 * time.Second,
		Poll:        250 * time.Millisecond,
		Discover:    2 * time.Second,
		Retry:       DefaultRetry(),
	}
}

// ahead is how many recipients are held beside those in the pool, so that no pusher waits for a
// claim. It is one claim, or half of a small pool: recipients held here are not available to other
// processes. A fifth made the claims so small that Redis needed a fifth more of CPU for a push.
func (o Options) ahead() int { return min(o.Claim, o.Concurrency/2) }

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
