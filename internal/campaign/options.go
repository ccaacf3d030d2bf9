package campaign

import (
	"fmt"
	"time"

	"fanfare/internal/queue"
)

// The defaults of Options.
const (
	DefaultRetention  = 7 * 24 * time.Hour
	DefaultTTL        = 24 * time.Hour
	DefaultScanEvery  = 10 * time.Second
	DefaultScanBudget = 200 * time.Millisecond
)

// Options of Campaigns; a zero field takes its default.
type Options struct {
	// Queue holds the limits of every campaign's queue. This package sets its Emit, Direct and
	// Gate fields. Linger is how long a list without a campaign is kept after its deadline.
	Queue queue.Options
	// Project is the Firebase project that this process sends for. A process that only inspects
	// campaigns leaves it empty.
	Project string
	// Retention is how long the keys of an ended campaign are kept.
	Retention time.Duration
	// DefaultTTL sets the deadline of a loaded audience, counted from its last batch. A deadline
	// in the campaign's spec goes before it.
	DefaultTTL time.Duration
	// ScanEvery is the pause between two passes over the keyspace, which find lists that an
	// application wrote on its own. Zero means a hundred times the duration of the last pass, at
	// most DefaultScanEvery.
	ScanEvery time.Duration
	// ScanBudget limits the time that one Discover spends on such a pass; the next one continues
	// it. A keyspace of a hundred million tokens must neither delay known campaigns nor keep
	// Redis busy.
	ScanBudget time.Duration
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.Retention, DefaultRetention}, {&o.DefaultTTL, DefaultTTL},
		{&o.ScanBudget, DefaultScanBudget}, {&o.Queue.Linger, queue.DefaultLinger},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Retention < time.Second:
		return fmt.Errorf("retention of %s is shorter than a second", o.Retention)
	case o.DefaultTTL < time.Second:
		return fmt.Errorf("default TTL of %s is shorter than a second", o.DefaultTTL)
	case o.ScanEvery < 0:
		return fmt.Errorf("scan interval of %s is negative", o.ScanEvery)
	case o.ScanBudget < 0:
		return fmt.Errorf("scan budget of %s is negative", o.ScanBudget)
	}
	return nil
}
