package responder

import (
	"errors"
	"fmt"
	"time"
)

// Options are the responder's own settings. DefaultOptions gives what is used where nothing is said.
type Options struct {
	// Batch bounds the results written in one transaction.
	Batch int
	// Workers is the number of transactions at a time.
	Workers int
	// Poll is how soon a list that held less than a batch is looked at again; the wait doubles up to MaxPoll while it
	// stays empty.
	Poll, MaxPoll time.Duration
	// Backoff is the wait before a batch is tried again that the database could not take just then; it doubles up to
	// MaxBackoff, and a part of it is random.
	Backoff, MaxBackoff time.Duration
	// Pause is the wait before anything is tried again after the database, or Redis, refused everything.
	Pause time.Duration
	// Reap is how often the leases of responders that died are taken back.
	Reap time.Duration
	// Trim is how often the dead letters are brought back within their bounds.
	Trim time.Duration
	// Meter is how often the list is measured.
	Meter time.Duration
	// Grace is how long, after work has ended, results that are committed may still be removed and the others given back.
	Grace time.Duration
}

// DefaultOptions write 1,000 results in each of four transactions at a time.
func DefaultOptions() Options {
	return Options{
		Batch:      1000,
		Workers:    4,
		Poll:       50 * time.Millisecond,
		MaxPoll:    500 * time.Millisecond,
		Backoff:    100 * time.Millisecond,
		MaxBackoff: 10 * time.Second,
		Pause:      30 * time.Second,
		Reap:       5 * time.Second,
		Trim:       2 * time.Second,
		Meter:      5 * time.Second,
		Grace:      5 * time.Second,
	}
}

func (o Options) validate() error {
	var errs []error
	positive := func(name string, value int64) {
		if value <= 0 {
			errs = append(errs, fmt.Errorf("%s must be above zero, is %d", name, value))
		}
	}
	positive("batch", int64(o.Batch))
	positive("workers", int64(o.Workers))
	positive("poll", int64(o.Poll))
	positive("back-off", int64(o.Backoff))
	positive("pause", int64(o.Pause))
	positive("reap", int64(o.Reap))
	positive("trim", int64(o.Trim))
	positive("meter", int64(o.Meter))
	positive("grace", int64(o.Grace))
	if o.MaxPoll < o.Poll {
		errs = append(errs, fmt.Errorf("max poll %s is below poll %s", o.MaxPoll, o.Poll))
	}
	if o.MaxBackoff < o.Backoff {
		errs = append(errs, fmt.Errorf("max back-off %s is below back-off %s", o.MaxBackoff, o.Backoff))
	}
	return errors.Join(errs...)
}
