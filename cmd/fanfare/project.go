package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

func (c *cli) project() *cobra.Command {
	return c.ofProject(group("project COMMAND", "Halt and resume a Firebase project; list the projects that send from this Redis",
		c.projectHalt(), c.projectResume(), c.projectHistory(), c.projectList(), c.projectForget()))
}

func (c *cli) projectHalt() *cobra.Command {
	reason := "halted by hand"
	command := &cobra.Command{
		Use:   "halt",
		Short: "Stop all sending to the project, in every dispatcher, until it is resumed; its campaigns wait",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				if err := g.Halt(ctx, reason); err != nil {
					return err
				}
				return c.output(command).done(map[string]any{"project": project, "halted": true, "reason": reason},
					"project %s is halted: %s; resume it with: fanfare project resume", printable(project), printable(reason))
			})
		},
	}
	addReason(command.Flags(), &reason, "a `text` for others to read")
	return command
}

func (c *cli) projectResume() *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "Resume a halted project, whatever halted it; a ramp follows",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
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
				return c.output(command).done(resumedView{project, len(after.Halts) > 0, operator.FindHold(after)}, "%s", resumedText(printable(project), before, after))
			})
		},
	}
}

// resumedView is the JSON of a resumed project. Hold is what else stops its pushes.
type resumedView struct {
	Project string         `json:"project"`
	Halted  bool           `json:"halted"`
	Hold    *operator.Hold `json:"held,omitempty"`
}

// resumedText says what else stops the project, if anything does.
func resumedText(project string, before, after pacing.State) string {
	hold := operator.FindHold(after)
	switch {
	case hold != nil && len(before.Halts) > 0:
		return fmt.Sprintf("project %s is no longer halted, and sends again when this is over: %s", project, joinReasons([]operator.Reason{hold.Explain()}))
	case hold != nil:
		return fmt.Sprintf("project %s was not halted; it is on hold: %s", project, joinReasons([]operator.Reason{hold.Explain()}))
	case len(before.Halts) == 0:
		return fmt.Sprintf("project %s was not halted", project)
	}
	return fmt.Sprintf("project %s is resumed", project)
}

// knownProject is a project as JSON.
type knownProject struct {
	Project string    `json:"project"`
	SeenAt  time.Time `json:"seenAt,omitzero"`
}

func (c *cli) projectList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the Firebase projects that send from this Redis, and when a dispatcher of each was seen last",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				known, err := rooms.Campaigns.Projects(ctx)
				if err != nil {
					return err
				}
				all := make([]knownProject, len(known))
				for i, p := range known {
					all[i] = knownProject{p.ID, p.SeenAt}
				}
				out := c.output(command)
				return out.show(all, func(io.Writer) { printProjects(out, all) })
			})
		},
	}
}

func printProjects(o output, all []knownProject) {
	if len(all) == 0 {
		fmt.Fprintln(o.w, "no project is known: no dispatcher has looked for campaigns in the last day")
		return
	}
	t := o.newTable(idColumn("PROJECT"), textColumn("DISPATCHER SEEN"))
	for _, p := range all {
		t.add(p.Project, cmp.Or(localTime(p.SeenAt), "never: a campaign names it"))
	}
	t.print()
}

func (c *cli) projectForget() *cobra.Command {
	return &cobra.Command{
		Use:   "forget PROJECT",
		Short: "Forget a Firebase project that no longer sends from this Redis: campaigns that name no project need not wait for it",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
				if err := rooms.Campaigns.ForgetProject(ctx, args[0]); err != nil {
					return err
				}
				return c.output(command).done(map[string]any{"project": args[0], "forgotten": true}, "forgot project %s", printable(args[0]))
			})
		},
	}
}
