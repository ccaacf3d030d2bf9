package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// closedByHand is the halt that stands for a gate which somebody closed until they open it again.
const closedByHand = "the gate is closed by hand"

// closedBy begins the reason of a gate that somebody closed for a while.
const closedBy = "closed by "

func (c *cli) quotaClose() *cobra.Command {
	var wait time.Duration
	command := &cobra.Command{
		Use:   "close",
		Short: "Let nothing go, until it is opened or for a while; a ramp follows",
		Long: `Let nothing go, from any dispatcher, until "fanfare quota open". With --for the gate opens by itself and not before, as after
a 429 of the project. A ramp follows.`,
		Args: takes,
		RunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("for") {
				if err := checkRange(command, "for", wait, time.Millisecond, maxWait); err != nil {
					return err
				}
			}
			return c.governed(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				if longest := g.LongestGate(); wait > longest {
					return wrongUsage(command, fmt.Errorf("--for is above pacing.max_gate, %s: close it without, and open it again by hand", operator.Span(longest)))
				}
				if err := closeGate(ctx, g, wait); err != nil {
					return err
				}
				return c.showQuota(ctx, command, project, g)
			})
		},
	}
	command.Flags().DurationVar(&wait, "for", 0, "how long, such as 30s; else until it is opened")
	return command
}

// closeGate keeps what opens by itself apart from what a person has to open: FCM's own gates are of the first kind, and nobody
// may shorten those.
func closeGate(ctx context.Context, g *pacing.Governor, wait time.Duration) error {
	if wait > 0 {
		return g.CloseGate(ctx, wait, closedBy+whoami())
	}
	return g.Halt(ctx, closedByHand)
}

func (c *cli) quotaOpen() *cobra.Command {
	return &cobra.Command{
		Use:   "open",
		Short: "Open the gate that was closed by hand; one that FCM asked for, or --for, opens by itself",
		Args:  takes,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.governed(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				if _, err := g.ResumeFrom(ctx, closedByHand); err != nil {
					return err
				}
				state, err := g.State(ctx)
				if err != nil {
					return err
				}
				if err := c.output(command).show(quotaOf(project, state), func(w io.Writer) { printQuota(w, project, state) }); err != nil {
					return err
				}
				if state.Gate.Closed(state.Now) {
					return fmt.Errorf("the gate opens by itself at %s, and nobody can open it before", stamp(state.Gate.Until))
				}
				return nil
			})
		},
	}
}
