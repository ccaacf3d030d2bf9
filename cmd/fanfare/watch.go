package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
)

func (c *cli) watch() *cobra.Command {
	every := time.Second
	command := &cobra.Command{
		Use:   "watch CAMPAIGN",
		Short: "Follow a campaign live: progress, rate, time to go; ends when the campaign does",
		Long: `Follow a campaign live: progress, rate, time to go. It ends when the campaign does, or with Ctrl-C.

On a terminal one line is redrawn; elsewhere there is a line each time (a JSON object with --json).`,
		Args:              takes,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			if err := checkRange(command, "every", every, time.Millisecond, maxEvery); err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				line := newProgressLine(command.OutOrStdout(), c.asJSON)
				defer line.end()
				holds := holdsOf(ctx, rooms)
				err := op.Watch(ctx, args[0], every, func(p operator.Progress) bool {
					p.Held = cmp.Or(holds.on(ctx, p.State), p.Held)
					return line.draw(p)
				})
				if errors.Is(err, context.Canceled) {
					return nil // whoever watched has seen enough
				}
				return about(args[0], err)
			})
		},
	}
	command.Flags().DurationVar(&every, "every", every, "how often to look")
	return command
}
