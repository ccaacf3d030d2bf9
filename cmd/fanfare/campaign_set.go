package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaignSet() *cobra.Command {
	var options campaignOptions
	message := ""
	command := &cobra.Command{
		Use:   "set CAMPAIGN --priority N …",
		Short: "Change a campaign's weight, priority, rate or deadline, also while it runs; its message while it does not",
		Long: `Change a campaign's weight, priority, rate, deadline, project, or what becomes of ambiguous outcomes. What is not given stays.
All that is given changes at one moment, and every dispatcher follows within two seconds.

A higher priority is served strictly before all lower ones: they get what it leaves. --rate none and --deadline none remove the
cap and the deadline.

Another message is checked as that of a new campaign, and only a draft or a paused campaign gets one.`,
		Example:           "  fanfare campaign set 42 --priority 5 --rate 250\n  fanfare campaign set 42 --deadline none\n  fanfare campaign set 42 --message message.json",
		Args:              takes,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			change, err := options.change(command)
			if err != nil {
				return err
			}
			if command.Flags().Changed("message") {
				if change.Message, err = readInput(command, message); err != nil {
					return err
				}
			}
			if change.Empty() {
				return wrongUsage(command, errors.New("nothing to change: give --message, --weight, --priority, --rate, --deadline, --project or --on-ambiguous"))
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				if err := op.Change(ctx, args[0], change); err != nil {
					return notSet(args[0], message, err)
				}
				view, err := op.Show(ctx, args[0])
				if err != nil {
					return about(args[0], err)
				}
				return c.output(command).show(view, func(w io.Writer) { printSet(w, view, change.Message != nil) })
			})
		},
	}
	command.Flags().StringVar(&message, "message", "", "`file` with FCM's message as JSON, without a target; - is standard input")
	options.addTo(command.Flags())
	for _, flag := range []string{"on-ambiguous", "weight", "priority", "rate", "deadline", "project"} {
		command.Flags().Lookup(flag).DefValue = "" // what is not given stays
	}
	return command
}

// printSet tells what holds now; the message is long, and only said to be another one.
func printSet(w io.Writer, v operator.View, rewritten bool) {
	fmt.Fprintf(w, "campaign %s (%s): %s\n", printable(v.Spec.ID), stateOf(v), optionsText(v))
	if rewritten {
		fmt.Fprintf(w, "it has another message; look at it with: fanfare campaign check %s\n", word(v.Spec.ID))
	}
}

// optionsText is all that "set" can change, in one line.
func optionsText(v operator.View) string {
	s := v.Spec
	return strings.Join([]string{
		fmt.Sprintf("priority %d", s.Priority), fmt.Sprintf("weight %d", s.Weight), "rate " + rateText(s.Rate),
		"deadline " + deadlineText(v), "on ambiguous " + string(s.OnAmbiguous),
	}, ", ")
}

// notSet says what is in the way as notCreated does.
func notSet(id, file string, err error) error {
	if refused, ok := errors.AsType[*campaign.TransitionError](err); ok && refused.From == campaign.Running {
		return fmt.Errorf("%w: fanfare campaign pause %s", refused, word(id))
	}
	return notCreated(id, file, err)
}
