package main

import (
	"context"

	"github.com/spf13/cobra"

	"fanfare/internal/pacing"
)

func (c *cli) project() *cobra.Command {
	return group("project COMMAND", "Halt a Firebase project, and let it go on", c.projectHalt(), c.projectResume())
}

func (c *cli) projectHalt() *cobra.Command {
	reason := "halted by hand"
	command := &cobra.Command{
		Use:   "halt",
		Short: "Let nothing go to the project, from any dispatcher, until it is resumed; its campaigns go on waiting",
		Args:  takes,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.governed(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				if err := g.Halt(ctx, reason); err != nil {
					return err
				}
				return c.output(command).done(map[string]any{"project": project, "halted": true, "reason": reason},
					"project %s is halted: %s; let it go on with: fanfare project resume", project, reason)
			})
		},
	}
	addReason(command.Flags(), &reason, "a `text` for whoever looks at it later")
	return command
}

func (c *cli) projectResume() *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "Let a halted project go on, whatever halted it; a ramp follows",
		Args:  takes,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.governed(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				state, err := g.State(ctx)
				if err != nil {
					return err
				}
				if err := g.Resume(ctx); err != nil {
					return err
				}
				text := "project %s goes on"
				if len(state.Halts) == 0 {
					text = "project %s was not halted"
				}
				return c.output(command).done(map[string]any{"project": project, "halted": false}, text, project)
			})
		},
	}
}
