package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

func (c *cli) quota() *cobra.Command {
	return group("quota COMMAND", "Show and set the pace that all dispatchers of a Firebase project share",
		c.quotaShow(), c.quotaSet(), c.quotaReset(), c.quotaClose(), c.quotaOpen())
}

// governed opens the rooms and the governor of the project that the settings, or the credentials, name.
func (c *cli) governed(command *cobra.Command, do func(ctx context.Context, project string, g *pacing.Governor) error) error {
	return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
		project, err := rooms.FindProject(ctx)
		if err != nil {
			return err
		}
		governor, err := rooms.NewGovernor(project, whoami(), nil)
		if err != nil {
			return err
		}
		return do(ctx, project, governor)
	})
}

// showQuota prints how the project stands after what was done to it.
func (c *cli) showQuota(ctx context.Context, command *cobra.Command, project string, g *pacing.Governor) error {
	state, err := g.State(ctx)
	if err != nil {
		return err
	}
	return c.output(command).show(quotaOf(project, state), func(w io.Writer) { printQuota(w, project, state) })
}

func (c *cli) quotaShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show the quota, the pace now, the gate, and whether the project is halted",
		Args:  takes,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.governed(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				return c.showQuota(ctx, command, project, g)
			})
		},
	}
}

func (c *cli) quotaReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Forget what was set: the dispatchers' own settings hold again",
		Args:  takes,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.governed(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				if err := g.Reset(ctx); err != nil {
					return err
				}
				return c.showQuota(ctx, command, project, g)
			})
		},
	}
}
