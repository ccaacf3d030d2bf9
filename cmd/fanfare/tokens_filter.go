package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"fanfare/internal/tokens"
)

// removedFilter are the arguments and flags that choose removed tokens.
type removedFilter struct {
	tokens.Filter
	since time.Duration
}

func (f *removedFilter) addTo(command *cobra.Command) {
	flags := command.Flags()
	layouts := []string{time.RFC3339, time.DateOnly}
	flags.DurationVar(&f.since, "since", 0, "those removed within this `duration` up to now, such as 2h")
	flags.TimeVar(&f.From, "from", time.Time{}, layouts, "those removed from this moment on")
	flags.TimeVar(&f.To, "to", time.Time{}, layouts, "those removed before this moment")
	flags.StringVar(&f.Campaign, "campaign", "", "those that this campaign's pushes removed")
}

// read takes the users, and makes a moment of a duration.
func (f *removedFilter) read(command *cobra.Command, users []string) error {
	f.Users = users
	given := command.Flags().Changed
	switch {
	case given("since") && (given("from") || given("to")):
		return wrongUsage(command, errors.New("--since cannot be used together with --from or --to"))
	case given("since") && f.since <= 0:
		return wrongUsage(command, errors.New("--since has to be above zero"))
	case given("from") && given("to") && !f.From.Before(f.To):
		return wrongUsage(command, errors.New("--from is not before --to"))
	case given("since"):
		f.From = time.Now().Add(-f.since)
	}
	return nil
}

// chosen tells that the filter leaves out something.
func (f *removedFilter) chosen() bool {
	return len(f.Users) > 0 || !f.From.IsZero() || !f.To.IsZero() || f.Campaign != ""
}
