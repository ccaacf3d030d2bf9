package breaker

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Threshold is what a kind of answer must reach to trip: both a share of all answers that prove
// something, and a number.
type Threshold struct {
	Share float64 `json:"share"` // 0 to 1; 0: the number alone decides
	Least int64   `json:"least"` // at least 1
}

// Options say when a campaign is stopped. The zero value stops nothing: begin with DefaultOptions.
type Options struct {
	// Canary is how many pushes of a campaign go out alone and must look sane before the rest
	// follows. 0: none.
	Canary int
	// Lease is how long admissions to the canary are kept without an Extend. It should be the
	// queue's own.
	Lease time.Duration
	// Thresholds by kind; a kind that has none never trips. Canaries that are smaller than a Least
	// are measured by their size instead.
	Thresholds map[Kind]Threshold
	// Unanswered is what pushes without an answer must reach, in the last seconds or in a whole
	// canary, to hold a campaign. The zero Threshold holds none.
	Unanswered Threshold
	// Probe is how long a hold that follows the last one within a minute waits for a probe, doubled
	// each time up to LongestProbe. The first hold waits for none.
	Probe, LongestProbe time.Duration
	// Impersonal is the threshold of BadMessage where all recipients get the same message.
	Impersonal Threshold
}

// DefaultOptions hold back all but 100 recipients, and stop what a person would.
func DefaultOptions() Options {
	return Options{
		Canary: 100,
		Lease:  15 * time.Second,
		Thresholds: map[Kind]Threshold{
			Credentials:    {Least: 1},
			BadMessage:     {Share: 0.02, Least: 5},
			NotFound:       {Share: 0.05, Least: 5},
			SenderMismatch: {Share: 0.1, Least: 20},
			ThirdPartyAuth: {Share: 0.05, Least: 10},
			BadTarget:      {Share: 0.2, Least: 20},
			Unregistered:   {Share: 0.5, Least: 100},
			Other:          {Share: 0.2, Least: 20},
		},
		Impersonal:   Threshold{Least: 3},
		Unanswered:   Threshold{Share: 0.5, Least: 50},
		Probe:        10 * time.Second,
		LongestProbe: 10 * time.Minute,
	}
}

// maxCanary bounds the leases of a canary to what one command of a script can remove.
const maxCanary = 5000

func (o Options) validate() error {
	switch {
	case o.Canary < 0 || o.Canary > maxCanary:
		return fmt.Errorf("canary of %d is not between 0 and %d", o.Canary, maxCanary)
	case o.Lease < time.Second:
		return fmt.Errorf("lease of %s is shorter than a second", o.Lease)
	case o.Probe < time.Millisecond || o.LongestProbe < o.Probe:
		return fmt.Errorf("wait for a probe of %s to %s is no range above zero", o.Probe, o.LongestProbe)
	}
	if o.Unanswered != (Threshold{}) {
		if err := o.Unanswered.validate(); err != nil {
			return fmt.Errorf("threshold of %s: %w", Unanswered, err)
		}
	}
	if err := o.Impersonal.validate(); err != nil {
		return fmt.Errorf("threshold of an impersonal %s: %w", BadMessage, err)
	}
	for kind, t := range o.Thresholds {
		if !slices.Contains(trippingKinds, kind) {
			return fmt.Errorf("threshold of %q: there is no such kind, want one of %v", kind, trippingKinds)
		}
		if err := t.validate(); err != nil {
			return fmt.Errorf("threshold of %s: %w", kind, err)
		}
	}
	return nil
}

func (t Threshold) validate() error {
	switch {
	case !(t.Share >= 0 && t.Share <= 1): // which NaN is not
		return fmt.Errorf("share of %g is not between 0 and 1", t.Share)
	case t.Least < 1:
		return fmt.Errorf("least number of %d is not above 0", t.Least)
	}
	return nil
}

// clone makes the options independent of the caller's map.
func (o Options) clone() Options {
	o.Thresholds = maps.Clone(o.Thresholds)
	return o
}
