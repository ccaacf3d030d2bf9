package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/pacing"
)

// quotaFlags are what can be set of a project's pace.
type quotaFlags struct {
	settings pacing.Settings
	headroom float64 // percent
}

func (q *quotaFlags) addTo(f *pflag.FlagSet) {
	f.IntVar(&q.settings.Quota, "per-minute", 0, "`pushes` a minute that Firebase grants the project")
	f.Float64Var(&q.headroom, "headroom", 0, "`percent` of them that are left unused: for late pushes, and the application's own")
	f.DurationVar(&q.settings.Ramp, "ramp", 0, "how long it takes from standstill to full pace, such as 1m")
	f.BoolVar(&q.settings.AvoidQuarterHours, "avoid-quarter-hours", false, "let nothing go within two minutes of :00, :15, :30 and :45; =false takes that back")
}

func (q *quotaFlags) check(command *cobra.Command) error {
	var errs []error
	if command.Flags().Changed("per-minute") {
		errs = append(errs, checkRange(command, "per-minute", q.settings.Quota, 1, pacing.MaxQuota))
	}
	return errors.Join(append(errs, checkRange(command, "headroom", q.headroom, 0, 100*pacing.MaxHeadroom),
		checkRange(command, "ramp", q.settings.Ramp, 0, pacing.MaxRamp))...)
}

// apply changes what was given, and tells whether anything was.
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
		Args: takes,
		RunE: func(command *cobra.Command, _ []string) error {
			if !given.apply(command.Flags(), new(pacing.Settings)) {
				return wrongUsage(command, errors.New("nothing to set: give --per-minute, --headroom, --ramp or --avoid-quarter-hours"))
			}
			if err := given.check(command); err != nil {
				return err
			}
			return c.governed(command, func(ctx context.Context, project string, g *pacing.Governor) error {
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
