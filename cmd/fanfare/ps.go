package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/fleet"
	"fanfare/internal/operator"
)

func (c *cli) ps() *cobra.Command {
	return &cobra.Command{
		Use:   "ps",
		Short: "List the running dispatchers and responders, and what each holds",
		Long: `List the running dispatchers and responders, and what each holds.

Each of them reports every ` + fleet.Interval.String() + `. One that has not for three times is no longer listed. HELD counts recipients or results from
claim to outcome, WIRE requests to FCM without an answer yet, and BEAT is the time since the last report.`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				all, err := op.Processes(ctx)
				if err != nil {
					return err
				}
				out := c.output(command)
				return out.show(all, func(io.Writer) { printProcesses(out, all, time.Now()) })
			})
		},
	}
}

func printProcesses(o output, all []fleet.Process, now time.Time) {
	if len(all) == 0 {
		fmt.Fprintln(o.w, "no dispatcher and no responder is running; start them with: dispatcher, responder")
		return
	}
	t := o.newTable(textColumn("PROCESS"), hostColumn("HOST"), numberColumn("PID"), numberColumn("UP"), numberColumn("HELD"), numberColumn("WIRE"), numberColumn("RATE"), numberColumn("MEMORY"), numberColumn("BEAT"),
		textColumn("PROJECT").onlyWide(), textColumn("VERSION").onlyWide())
	for _, p := range all {
		wire := operator.Thousands(p.OnWire)
		if p.Role == fleet.Responder {
			wire = "-"
		}
		t.add(string(p.Role), p.Host, fmt.Sprint(p.PID), age(now.Sub(p.StartedAt)), operator.Thousands(p.Held), wire,
			rateOf(p.Rate)+"/s", fmt.Sprintf("%d MB", p.Memory>>20), fmt.Sprintf("%.1fs", p.BeatAge.Seconds()),
			p.Project, p.Version)
	}
	t.print()
	versions := distinct(all, func(p fleet.Process) string { return p.Version })
	projects := distinct(all, func(p fleet.Process) string { return p.Project })
	for _, p := range all {
		if text := describeProcess(p, len(versions) > 1, len(projects) > 1); text != "" {
			fmt.Fprintln(o.w, o.indent(fmt.Sprintf("  %s %d: ", printable(p.Host), p.PID), printable(text)))
		}
	}
	if len(versions) == 1 {
		fmt.Fprintln(o.w, o.indent("version ", printable(versions[0])))
	}
	if len(projects) == 1 {
		fmt.Fprintln(o.w, o.indent("project ", printable(projects[0])))
	}
}

// age formats how long something has lasted, in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// distinct returns the different texts of the processes, in order. Empty ones are left out.
func distinct(all []fleet.Process, text func(fleet.Process) string) []string {
	var texts []string
	for _, p := range all {
		if t := text(p); t != "" && !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
	}
	slices.Sort(texts)
	return texts
}

// describeProcess names what the table has no column for. The version and the project are named if
// they differ between the processes.
func describeProcess(p fleet.Process, withVersion, withProject bool) string {
	var parts []string
	if withVersion {
		parts = append(parts, "version "+p.Version)
	}
	if withProject && p.Project != "" {
		parts = append(parts, "project "+p.Project)
	}
	text := strings.Join(append(parts, p.Notes()...), ", ")
	if p.Phase == fleet.Starting {
		text += "; see: fanfare check"
	}
	return text
}
