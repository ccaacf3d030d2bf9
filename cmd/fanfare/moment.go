package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addPeriod adds --since and --until, which choose by time, to a filter of something.
func addPeriod(f *pflag.FlagSet, since, until *time.Time, what string) {
	f.Var(moment{since}, "since", what+" from this `moment` on, such as 2026-01-31 or 2026-01-31T18:00:00+07:00, or from so long ago, such as 2h")
	f.Var(moment{until}, "until", what+" before this `moment`, likewise")
}

// checkPeriod refuses a period in which nothing can be.
func checkPeriod(command *cobra.Command, since, until time.Time) error {
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return wrongUsage(command, errors.New("--since is not before --until"))
	}
	return nil
}

// moment is the value of a flag that tells when.
type moment struct{ at *time.Time }

func (m moment) Type() string { return "moment" }

func (m moment) String() string {
	if m.at == nil || m.at.IsZero() {
		return ""
	}
	return m.at.Format(time.RFC3339)
}

// Set takes a moment without a time zone for one of whoever types it, as all that we show them is.
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
	return errors.New("want a moment such as 2026-01-31 or 2026-01-31T18:00:00+07:00, or how long ago, such as 2h")
}
