package assembly

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // for images and machines without time zones

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/terminal"
	"fanfare/internal/tracing"
)

// Daemon describes a long-running program. The rest is the same for all.
type Daemon struct {
	Name, Short, Long string
	// Sections of the settings that have flags.
	Sections []string
	// Flags adds the program's own flags; may be nil.
	Flags func(*pflag.FlagSet)
	// Listen and DrainTimeout select the program's own settings.
	Listen       func(config.Settings) config.Address
	DrainTimeout func(config.Settings) time.Duration
	// Job reports whether the program ends with its work, so that an early stop leaves work behind.
	// Nil means that it does not.
	Job func() bool
	// Start prepares the work and returns it. The work ends when p.FetchCtx does.
	Start func(p *daemon.Process, rooms *Rooms) (work func() error, err error)
}

// Main runs the program and returns its exit code.
func (d Daemon) Main() int {
	var file string
	var runErr error // the log has it already
	command := &cobra.Command{
		Use: d.Name, Short: d.Short, Long: d.Long,
		Version:       daemon.Version(),
		Args:          refuseArguments,
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			settings, err := LoadSettings(file, command.Flags())
			if err != nil {
				return err
			}
			log, err := NewLogger(os.Stderr, settings.Log)
			if err != nil {
				return daemon.WithExitCode(daemon.ExitUsage, err)
			}
			for _, warning := range settings.Warnings() {
				log.Warn(warning)
			}
			runErr = d.run(command.Context(), settings, log)
			return nil
		},
	}
	command.Flags().StringVar(&file, "config", "", "settings file (YAML); default: the one in FANFARE_CONFIG")
	config.AddFlags(command.Flags(), d.Sections...)
	if d.Flags != nil {
		d.Flags(command.Flags())
	}
	command.SetFlagErrorFunc(newUsageError)
	out := terminal.Stdout()
	command.SetOut(out)
	command.SetErr(terminal.Stderr())
	if err := CheckOutput(command.ExecuteContext(context.Background()), out); err != nil {
		return ReportError(terminal.Stderr(), d.Name, err)
	}
	return daemon.ExitCode(runErr)
}

func (d Daemon) options(s config.Settings, log *slog.Logger) daemon.Options {
	return daemon.Options{Name: d.Name, Listen: string(d.Listen(s)), DrainTimeout: d.DrainTimeout(s), Logger: log}
}

func (d Daemon) run(ctx context.Context, s config.Settings, log *slog.Logger) error {
	return daemon.Run(ctx, d.options(s, log), func(p *daemon.Process) error {
		work, err := d.startOrStop(p, s)
		switch {
		case err != nil && p.FetchCtx().Err() != nil:
			return d.endInterruptedStart(p, err)
		case err != nil:
			return err
		}
		p.Ready()
		return work()
	})
}

// startOrStop prepares the work, and returns early on a stop. A client that reads from Redis
// notices only its own timeout, so nothing waits for it.
func (d Daemon) startOrStop(p *daemon.Process, s config.Settings) (work func() error, err error) {
	type started struct {
		work func() error
		err  error
	}
	done := make(chan started, 1)
	go func() {
		work, err := d.prepare(p, s)
		done <- started{work, err}
	}()
	select {
	case it := <-done:
		return it.work, it.err
	case <-p.FetchCtx().Done():
		return nil, context.Cause(p.FetchCtx())
	}
}

func (d Daemon) prepare(p *daemon.Process, s config.Settings) (work func() error, err error) {
	rooms, err := Open(p.WorkCtx(), s, d.Name, p.Logger, p.Registry)
	if err != nil {
		return nil, err
	}
	p.OnStop("redis and database", func(context.Context) error { return rooms.Close() })
	if caution := rooms.CheckPlaintextDatabase(); caution != nil {
		p.Logger.Warn("database connection may be plaintext", "problem", caution)
	}
	if caution := rooms.CheckPlaintextRedis(); caution != nil {
		p.Logger.Warn("Redis connection is plaintext", "problem", caution)
	}
	if err := rooms.checkRedis(p.FetchCtx()); err != nil {
		return nil, err
	}
	p.Health.AddReady("redis", func(ctx context.Context) error { return rooms.Redis.Ping(ctx).Err() })
	p.Registry.MustRegister(daemon.NewRedisCollector(p.WorkCtx(), rooms.Redis, daemon.RedisCollectorOptions{}))
	if err := d.startTracing(p, rooms); err != nil {
		return nil, err
	}
	return d.Start(p, rooms)
}

// startTracing gives the rooms a tracer if the variables of OTLP are set.
func (d Daemon) startTracing(p *daemon.Process, rooms *Rooms) (err error) {
	if rooms.Tracer, err = tracing.New(p.WorkCtx(), d.Name, os.Getenv, p.Logger); err != nil {
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	p.OnStop("traces", func(ctx context.Context) error {
		if err := rooms.Tracer.Close(ctx); err != nil {
			p.Logger.Warn("traces not sent; they are lost", "error", err)
		}
		return nil // no work is lost
	})
	return nil
}

// endInterruptedStart ends a start that a stop interrupted. The error is a consequence of the stop.
// A service has done all it had to, but a Job has work left.
func (d Daemon) endInterruptedStart(p *daemon.Process, err error) error {
	if d.Job != nil && d.Job() {
		return daemon.WithExitCode(daemon.ExitLeftover, fmt.Errorf("start interrupted: %w", err))
	}
	p.Logger.Info("start interrupted", "error", err)
	return nil
}
