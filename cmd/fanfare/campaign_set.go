package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaignSet() *cobra.Command {
	var options campaignOptions
	command := &cobra.Command{
		Use:   "set CAMPAIGN --priority N …",
		Short: "Change a campaign's weight, priority, rate or deadline, also while it runs",
		Long: `Change a campaign's weight, priority, rate, deadline, or what becomes of ambiguous outcomes. What is not given stays.
All that is given changes at one moment, and every dispatcher follows within two seconds.

A higher priority is served strictly before all lower ones: they get what it leaves. --rate none and --deadline none remove the
cap and the deadline.`,
		Example:           "  fanfare campaign set 42 --priority 5 --rate 250\n  fanfare campaign set 42 --deadline none",
		Args:              takes,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			change, err := options.change(command)
			switch {
			case err != nil:
				return err
			case change == campaign.Change{}:
				return wrongUsage(command, errors.New("nothing to change: give --weight, --priority, --rate, --deadline or --on-ambiguous"))
			}
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, op *operator.Operator) error {
				if err := rooms.Campaigns.Change(ctx, args[0], change); err != nil {
					return notSet(args[0], err)
				}
				view, err := op.Show(ctx, args[0])
				if err != nil {
					return about(args[0], err)
				}
				return c.output(command).show(view, func(w io.Writer) {
					fmt.Fprintf(w, "campaign %s (%s): %s\n", args[0], stateOf(view), optionsText(view.Spec))
				})
			})
		},
	}
	options.addTo(command.Flags())
	for _, flag := range []string{"on-ambiguous", "weight", "priority", "rate", "deadline"} {
		command.Flags().Lookup(flag).DefValue = "" // what is not given stays
	}
	return command
}

// optionsText is all that "set" can change, in one line.
func optionsText(s campaign.Spec) string {
	return strings.Join([]string{
		fmt.Sprintf("priority %d", s.Priority), fmt.Sprintf("weight %d", s.Weight), "rate " + rateText(s.Rate),
		"deadline " + deadlineText(s.Deadline), "on ambiguous " + string(s.OnAmbiguous),
	}, ", ")
}

func notSet(id string, err error) error {
	if spec, ok := errors.AsType[*campaign.SpecError](err); ok {
		return wrongOption(spec.Field, spec.Problem)
	}
	return about(id, err)
}
