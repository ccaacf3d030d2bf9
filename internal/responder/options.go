package responder

import (
	"errors"
	"fmt"
	"time"
)

// Options are the responder's settings. DefaultOptions returns the defaults.
type Options struct {
	// Batch is the maximum number of results in one transaction.
	Batch int
	// Workers is the number of transactions at a time.
	Workers int
	// PollInterval is the wait after a claim that was not full. It doubles up to MaxPollInterval
	// while the list stays empty.
	PollInterval, MaxPollInterval time.Duration
	// RetryDelay is the wait before the next try after a transient fault of the database. It
	// doubles up to MaxRetryDelay, and a part of it is random.
	RetryDelay, MaxRetryDelay time.Duration
	// HaltDelay is the wait between tries while the database or Redis refuses everything.
	HaltDelay time.Duration
	// ReapInterval is the longest time between two looks for expired leases.
	ReapInterval time.Duration
	// TrimInterval is how often the dead letters are trimmed to their limits.
	TrimInterval time.Duration
	// MeterInterval is how often the list is measured.
	MeterInterval time.Duration
	// HistoryInterval is how often new entries of the campaigns' histories are copied.
	HistoryInterval time.Duration
	// GraceTimeout is how long after the end of work committed results may be removed, and the
	// others given back.
	GraceTimeout time.Duration
}

// DefaultOptions returns options for 1,000 results in each of four transactions at a time.
func DefaultOptions() Options {
	return Options{
		Batch:           1000,
		Workers:         4,
		PollInterval:    50 * time.Millisecond,
		MaxPollInterval: 500 * time.Millisecond,
		RetryDelay:      100 * time.Millisecond,
		MaxRetryDelay:   10 * time.Second,
		HaltDelay:       5 * time.Second, // as the dispatcher: a repair takes effect soon
		ReapInterval:    5 * time.Second,
		TrimInterval:    2 * time.Second,
		MeterInterval:   5 * time.Second,
		HistoryInterval: 5 * time.Second,
		GraceTimeout:    5 * time.Second,
	}
}

func (o Options) validate() error {
	var errs []error
	checkPositive := func(name string, value int64) {
		if value <= 0 {
			errs = append(errs, fmt.Errorf("%s must be above zero, is %d", name, value))
		}
	}
	checkPositive("batch", int64(o.Batch))
	checkPositive("workers", int64(o.Workers))
	checkPositive("poll interval", int64(o.PollInterval))
	checkPositive("retry delay", int64(o.RetryDelay))
	checkPositive("halt delay", int64(o.HaltDelay))
	checkPositive("reap interval", int64(o.ReapInterval))
	checkPositive("trim interval", int64(o.TrimInterval))
	checkPositive("meter interval", int64(o.MeterInterval))
	checkPositive("history interval", int64(o.HistoryInterval))
	checkPositive("grace timeout", int64(o.GraceTimeout))
	if o.MaxPollInterval < o.PollInterval {
		errs = append(errs, fmt.Errorf("max poll interval %s is below poll interval %s", o.MaxPollInterval, o.PollInterval))
	}
	if o.MaxRetryDelay < o.RetryDelay {
		errs = append(errs, fmt.Errorf("max retry delay %s is below retry delay %s", o.MaxRetryDelay, o.RetryDelay))
	}
	return errors.Join(errs...)
}
