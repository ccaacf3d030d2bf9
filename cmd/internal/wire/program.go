package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/queue"
)

// Daemon is what a long-running program tells of itself; all else is the same for each.
type Daemon struct {
	Name, Short, Long string
	// Sections of the settings that have flags.
	Sections []string
	// Flags adds the program's own flags; may be nil.
	Flags func(*pflag.FlagSet)
	// Listen and Drain pick the program's own settings.
	Listen func(config.Settings) config.Address
	Drain  func(config.Settings) time.Duration
	// Body works until p.Fetch() ends.
	Body func(p *daemon.Process, rooms *Rooms) error
}

// Main runs the program and returns its exit code.
func (d Daemon) Main() int {
	var file string
	command := &cobra.Command{
		Use: d.Name, Short: d.Short, Long: d.Long,
		Version:       daemon.Version(),
		Args:          noArguments,
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			settings, err := Settings(file, command.Flags())
			if err != nil {
				return err
			}
			return d.run(command.Context(), settings)
		},
	}
	command.Flags().StringVar(&file, "config", "", "settings file (YAML); else the one that FANFARE_CONFIG names")
	config.AddFlags(command.Flags(), d.Sections...)
	if d.Flags != nil {
		d.Flags(command.Flags())
	}
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return daemon.Exit(daemon.ExitUsage, err) })
	return Report(d.Name, command.ExecuteContext(context.Background()))
}

// noArguments makes of a surplus word what it is: a wrong command line.
func noArguments(command *cobra.Command, args []string) error {
	if err := cobra.NoArgs(command, args); err != nil {
		return daemon.Exit(daemon.ExitUsage, err)
	}
	return nil
}

// Report prints a program's error, and returns its exit code.
func Report(name string, err error) int {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, daemon.Scrub(err.Error()))
	}
	return daemon.Code(err)
}

func (d Daemon) run(ctx context.Context, s config.Settings) error {
	log, err := daemon.NewLogger(os.Stderr, s.Log.Level, s.Log.Format)
	if err != nil {
		return daemon.Exit(daemon.ExitUsage, err)
	}
	o := daemon.Options{Name: d.Name, Listen: string(d.Listen(s)), Drain: d.Drain(s), Logger: log}
	return daemon.Run(ctx, o, func(p *daemon.Process) error {
		rooms, err := Open(p.Work(), s, d.Name, log, p.Registry)
		if err != nil {
			return err
		}
		p.OnStop("redis and database", func(context.Context) error { return rooms.Close() })
		if err := rooms.checkRedis(p.Fetch()); err != nil {
			return err
		}
		p.Health.AddReady("redis", func(ctx context.Context) error { return rooms.Redis.Ping(ctx).Err() })
		p.Registry.MustRegister(daemon.NewRedisCollector(p.Work(), rooms.Redis, daemon.RedisCollectorOptions{}))
		return d.Body(p, rooms)
	})
}

// checkRedis refuses to start on a Redis that cannot be reached, that is another kind than the settings say, or that may throw
// recipients away.
func (r *Rooms) checkRedis(ctx context.Context) error {
	mode, evicts, err := r.Operator().CheckAtStart(ctx)
	switch {
	case err != nil:
		return asExit(err)
	case mode.Grade == operator.Failure:
		return daemon.Exit(daemon.ExitUsage, errors.New(inOneLine(mode)))
	case evicts.Grade == operator.Failure && !r.Settings.Redis.AllowVolatileEviction:
		return daemon.Exit(daemon.ExitUsage, errors.New(inOneLine(evicts)+"; or set redis.allow_volatile_eviction"))
	case evicts.Grade != operator.Good:
		r.Logger.Warn(inOneLine(evicts))
	}
	return nil
}

func inOneLine(f operator.Finding) string {
	return fmt.Sprintf("%s: %s: %s", f.Name, f.Detail, f.Advice)
}

// asExit gives an error of Redis its exit code: refused credentials are not cured by a restart, an outage is.
func asExit(err error) error {
	if queue.Denied(err) {
		return daemon.Exit(daemon.ExitCredentials, err)
	}
	return err
}
