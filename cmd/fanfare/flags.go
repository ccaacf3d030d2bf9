package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The bounds of flags that are counts or durations.
const (
	maxLimit    = 100_000 // rows shown at once
	maxSample   = 100_000 // recipients read, filled and validated at once
	maxPatience = 24 * time.Hour
	maxEvery    = time.Hour
	maxWait     = 24 * time.Hour // the highest pacing.max_gate
	maxSkip     = 10_000_000_000
)

// checkRange refuses a value that is out of bounds, and names the bounds.
func checkRange[N cmp.Ordered](command *cobra.Command, flag string, value, least, most N) error {
	if value >= least && value <= most {
		return nil
	}
	return wrongUsage(command, fmt.Errorf("--%s %v is out of range; use %v to %v", flag, value, least, most))
}

// addPeriod adds --since and --until to the flags of a filter.
func addPeriod(f *pflag.FlagSet, since, until *time.Time, what string) {
	f.Var(moment{since}, "since", what+" from this `moment` on, such as 2026-01-31 or 2026-01-31T18:00:00+07:00, or from so long ago, such as 2h")
	f.Var(moment{until}, "until", what+" before this `moment`, likewise")
}

// checkPeriod refuses an empty period.
func checkPeriod(command *cobra.Command, since, until time.Time) error {
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return wrongUsage(command, errors.New("--since is not before --until"))
	}
	return nil
}

// moment is the value of a flag for a point in time.
type moment struct{ at *time.Time }

func (m moment) Type() string { return "moment" }

func (m moment) String() string {
	if m.at == nil || m.at.IsZero() {
		return ""
	}
	return m.at.Format(time.RFC3339)
}

// Set reads a moment without a time zone in the local time zone, in which all moments are shown.
func (m moment) Set(text string) error {
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		*m.at = time.Now().Add(-ago)
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			*m.at = at
			return nil
		}
	}
	if at, ok := parsePrinted(text); ok {
		*m.at = at
		return nil
	}
	return errors.New("want a moment such as 2026-01-31 or 2026-01-31T18:00:00+07:00, or how long ago, such as 2h")
}

// parsePrinted reads a moment as it is printed. Other names of zones are ambiguous.
func parsePrinted(text string) (at time.Time, ok bool) {
	for _, zone := range []*time.Location{time.Local, time.UTC} {
		at, err := time.ParseInLocation(time.DateTime, text[:min(len(text), len(time.DateTime))], zone)
		if err == nil && text == at.Format(time.DateTime+" MST") {
			return at, true
		}
	}
	return time.Time{}, false
}

// addReason adds --reason with the default that reason holds. A text that does not fit in one
// printable line is wrong usage.
func addReason(f *pflag.FlagSet, reason *string, usage string) {
	f.Func("reason", usage, func(text string) error {
		*reason = text
		return checkReason(text)
	})
	f.Lookup("reason").DefValue = *reason
}

func checkReason(text string) error {
	const most = 500 // bytes
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("is empty")
	case len(text) > most:
		return fmt.Errorf("is longer than %d bytes", most)
	case strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("holds a control character")
	}
	return nil
}
