package main

import (
	"github.com/spf13/cobra"

	"fanfare/internal/tokens"
)

// removedFilter are the arguments and flags that choose removed tokens.
type removedFilter struct{ tokens.Filter }

func (f *removedFilter) addTo(command *cobra.Command) {
	flags := command.Flags()
	addPeriod(flags, &f.From, &f.To, "those removed")
	flags.StringVar(&f.Campaign, "campaign", "", "those that this `campaign`'s pushes removed")
}

// read takes the users, and refuses what nothing can be chosen by.
func (f *removedFilter) read(command *cobra.Command, users []string) error {
	f.Users = users
	return checkPeriod(command, f.From, f.To)
}

// chosen tells that the filter leaves out something.
func (f *removedFilter) chosen() bool {
	return len(f.Users) > 0 || !f.From.IsZero() || !f.To.IsZero() || f.Campaign != ""
}
