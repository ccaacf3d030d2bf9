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
	// Queue holds the limits of every campaign's queue; where it emits to and its gate are set here. Its Linger is how long a list
	// without a campaign is kept beyond its deadline.
	Queue queue.Options
	// Project is the Firebase project that campaigns are served for; empty: they are only looked at.
	Project string
	// Retention is how long the keys of a campaign that has ended are kept.
	Retention time.Duration
	// DefaultTTL is the deadline of an audience that is loaded, from its last batch, unless its campaign has one of its own.
	DefaultTTL time.Duration
	// ScanEvery is the pause between two passes over the keyspace for lists that an application wrote without us. Zero makes it a
	// hundred times what the last pass took, and DefaultScanEvery at most.
	ScanEvery time.Duration
	// ScanBudget bounds the time that one Discover spends on such a pass, which the next one goes on with: a keyspace
	// of a hundred million tokens must neither hold up the campaigns that are known nor keep Redis busy.
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
