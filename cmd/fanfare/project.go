package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

func (c *cli) project() *cobra.Command {
	return group("project COMMAND", "Halt a Firebase project and let it go on; list the projects that send from this Redis", c.projectHalt(), c.projectResume(), c.projectList(), c.projectForget())
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
					"project %s is halted: %s; let it go on with: fanfare project resume", printable(project), printable(reason))
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
				before, err := g.State(ctx)
				if err != nil {
					return err
				}
				if err := g.Resume(ctx); err != nil {
					return err
				}
				after, err := g.State(ctx)
				if err != nil {
					return err
				}
				return c.output(command).done(resumedView{project, len(after.Halts) > 0, operator.WhyHeld(after)}, "%s", resumedText(printable(project), before, after))
			})
		},
	}
}

// resumedView is the JSON of a project that was resumed; Held is what else keeps its pushes back.
type resumedView struct {
	Project string         `json:"project"`
	Halted  bool           `json:"halted"`
	Held    *operator.Held `json:"held,omitempty"`
}

// resumedText does not say that a project goes on while something else holds it.
func resumedText(project string, before, after pacing.State) string {
	held := operator.WhyHeld(after)
	switch {
	case held != nil && len(before.Halts) > 0:
		return fmt.Sprintf("project %s is not halted any more, and goes on when this is over: %s", project, heldWhy(held))
	case held != nil:
		return fmt.Sprintf("project %s was not halted; what holds it: %s", project, heldWhy(held))
	case len(before.Halts) == 0:
		return fmt.Sprintf("project %s was not halted", project)
	}
	return fmt.Sprintf("project %s goes on", project)
}
