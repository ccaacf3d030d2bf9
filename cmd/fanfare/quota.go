package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

func (c *cli) quota() *cobra.Command {
	return c.ofProject(group("quota COMMAND", "Show and set the pace that all dispatchers of a Firebase project share",
		c.quotaShow(), c.quotaSet(), c.quotaReset(), c.quotaClose(), c.quotaOpen()))
}

// withGovernor opens the rooms and the governor of the project that the settings or the credentials
// name.
func (c *cli) withGovernor(command *cobra.Command, do func(ctx context.Context, project string, g *pacing.Governor) error) error {
	return c.with(command, func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator) error {
		project, err := rooms.FindProject(ctx)
		if err != nil {
			return err
		}
		governor, err := rooms.NewGovernor(project, assembly.Whoami(), nil)
		if err != nil {
			return err
		}
		return do(ctx, project, governor)
	})
}

// showQuota prints the project's pace after a change.
func (c *cli) showQuota(ctx context.Context, command *cobra.Command, project string, g *pacing.Governor) error {
	state, err := g.State(ctx)
	if err != nil {
		return err
	}
	out := c.output(command)
	return out.show(operator.NewQuotaView(project, state), func(io.Writer) { printQuota(out, project, state) })
}

func (c *cli) quotaShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show the quota, the pace now, the gate, and whether the project is halted",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				return c.showQuota(ctx, command, project, g)
			})
		},
	}
}

func (c *cli) quotaReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Forget what was set: the dispatchers' own settings hold again",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				if err := g.Reset(ctx); err != nil {
					return err
				}
				return c.showQuota(ctx, command, project, g)
			})
		},
	}
}

// quotaFlags are the flags for a project's pace.
type quotaFlags struct {
	settings pacing.Settings
	headroom float64 // percent
}

func (q *quotaFlags) addTo(f *pflag.FlagSet) {
	f.IntVar(&q.settings.Quota, "per-minute", 0, "`pushes` a minute that Firebase grants the project")
	f.Float64Var(&q.headroom, "headroom", 0, "`percent` of them that are left unused: for late pushes, and the application's own")
	f.DurationVar(&q.settings.Ramp, "ramp", 0, "how long it takes from standstill to full pace, such as 1m")
	f.BoolVar(&q.settings.AvoidQuarterHours, "avoid-quarter-hours", false, "send nothing within two minutes of :00, :15, :30 and :45; =false undoes that")
}

func (q *quotaFlags) check(command *cobra.Command) error {
	var errs []error
	if command.Flags().Changed("per-minute") {
		errs = append(errs, checkRange(command, "per-minute", q.settings.Quota, 1, pacing.MaxQuota))
	}
	return errors.Join(append(errs, checkRange(command, "headroom", q.headroom, 0, 100*pacing.MaxHeadroom),
		checkRange(command, "ramp", q.settings.Ramp, 0, pacing.MaxRamp))...)
}

// apply copies the given flags, and reports whether there were any.
func (q *quotaFlags) apply(f *pflag.FlagSet, s *pacing.Settings) (applied bool) {
	for flag, take := range map[string]func(){
		"per-minute":          func() { s.Quota = q.settings.Quota },
		"headroom":            func() { s.Headroom = q.headroom / 100 },
		"ramp":                func() { s.Ramp = q.settings.Ramp },
		"avoid-quarter-hours": func() { s.AvoidQuarterHours = q.settings.AvoidQuarterHours },
	} {
		if f.Changed(flag) {
			take()
			applied = true
		}
	}
	return applied
}

func (c *cli) quotaSet() *cobra.Command {
	var given quotaFlags
	command := &cobra.Command{
		Use:   "set --per-minute N …",
		Short: "Set the quota, headroom, ramp and quarter hours for all dispatchers, until they are reset",
		Long: `Set the quota, the headroom, the ramp, and whether quarter hours are avoided, for all dispatchers. What is not given stays.
It is in force everywhere within two seconds, goes before what stands in the dispatchers' settings, and stays until
"fanfare quota reset".`,
		Example: `  fanfare quota set --per-minute 300000 --headroom 10
  fanfare quota set --avoid-quarter-hours
  fanfare quota set --avoid-quarter-hours=false`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if !given.apply(command.Flags(), new(pacing.Settings)) {
				return wrongUsage(command, errors.New("nothing to set: give --per-minute, --headroom, --ramp or --avoid-quarter-hours"))
			}
			if err := given.check(command); err != nil {
				return err
			}
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				settings, err := g.Settings(ctx)
				if err != nil {
					return err
				}
				given.apply(command.Flags(), &settings)
				if err := settings.Validate(); err != nil {
					return wrongUsage(command, err)
				}
				if err := g.Set(ctx, settings); err != nil {
					return err
				}
				return c.showQuota(ctx, command, project, g)
			})
		},
	}
	given.addTo(command.Flags())
	return command
}

func (c *cli) quotaClose() *cobra.Command {
	var wait time.Duration
	command := &cobra.Command{
		Use:   "close",
		Short: "Stop all sending until the gate is opened, or for a while; a ramp follows",
		Long: `Stop all sending, in every dispatcher, until "fanfare quota open". With --for the gate opens by itself and not before, as after
a 429 of the project. A ramp follows.`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("for") {
				if err := checkRange(command, "for", wait, time.Millisecond, maxWait); err != nil {
					return err
				}
			}
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
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

// closeGate closes the gate for a while, or halts the project until it is opened by hand. The two
// are separate because no one may shorten a gate that FCM demanded.
func closeGate(ctx context.Context, g *pacing.Governor, wait time.Duration) error {
	if wait > 0 {
		return g.CloseGateByHand(ctx, wait)
	}
	return g.Halt(ctx, pacing.ClosedByHand)
}

func (c *cli) quotaOpen() *cobra.Command {
	return &cobra.Command{
		Use:   "open",
		Short: "Open the gate that was closed by hand; one that FCM asked for, or --for, opens by itself",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				if _, err := g.ResumeFrom(ctx, pacing.ClosedByHand); err != nil {
					return err
				}
				state, err := g.State(ctx)
				if err != nil {
					return err
				}
				out := c.output(command)
				if err := out.show(operator.NewQuotaView(project, state), func(io.Writer) { printQuota(out, project, state) }); err != nil {
					return err
				}
				if state.Gate.IsClosed(state.Now) {
					return fmt.Errorf("the gate opens by itself at %s, and cannot be opened before", localTime(state.Gate.Until))
				}
				return nil
			})
		},
	}
}
