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
)

// knownProject is a project as JSON.
type knownProject struct {
	Project string    `json:"project"`
	SeenAt  time.Time `json:"seenAt,omitzero"`
}

func (c *cli) projectList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the Firebase projects that send from this Redis, and when a dispatcher of each was seen last",
		Args:  takes,
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
				return c.output(command).show(all, func(w io.Writer) { printProjects(w, all) })
			})
		},
	}
}

func printProjects(w io.Writer, all []knownProject) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no project is known: no dispatcher has looked for campaigns in the last day")
		return
	}
	t := newTable("PROJECT", "DISPATCHER SEEN")
	for _, p := range all {
		t.add(p.Project, cmp.Or(stamp(p.SeenAt), "never: a campaign names it"))
	}
	t.print(w)
}

func (c *cli) projectForget() *cobra.Command {
	return &cobra.Command{
		Use:   "forget PROJECT",
		Short: "Forget a Firebase project that no longer sends from this Redis: campaigns that name no project need not wait for it",
		Args:  takes,
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
