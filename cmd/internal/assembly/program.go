package assembly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/checks"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/redisx"
	"fanfare/internal/terminal"
)

// Daemon is what a long-running program tells of itself; all else is the same for each.
type Daemon struct {
	Name, Short, Long string
	// Sections of the settings that have flags.
	Sections []string
	// Flags adds the program's own flags; may be nil.
	Flags func(*pflag.FlagSet)
	// Listen and Drain pick the program's own settings.
	Listen       func(config.Settings) config.Address
	DrainTimeout func(config.Settings) time.Duration
	// Job tells whether the program ends with its work, of which some is left if it is stopped before; nil: it does not.
	Job func() bool
	// Start prepares the program's work, and returns it. The work ends when p.Fetch() does.
	Start func(p *daemon.Process, rooms *Rooms) (work func() error, err error)
}

// Main runs the program and returns its exit code.
func (d Daemon) Main() int {
	var file string
	var cameTo error // what its log has told already
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
			cameTo = d.run(command.Context(), settings, log)
			return nil
		},
	}
	command.Flags().StringVar(&file, "config", "", "settings file (YAML); else the one that FANFARE_CONFIG names")
	config.AddFlags(command.Flags(), d.Sections...)
	if d.Flags != nil {
		d.Flags(command.Flags())
	}
	command.SetFlagErrorFunc(newUsageError)
	out := terminal.Stdout()
	command.SetOut(out)
	command.SetErr(terminal.Stderr())
	if err := CheckOutput(command.ExecuteContext(context.Background()), out); err != nil {
		return ReportError(d.Name, err)
	}
	return daemon.ExitCode(cameTo)
}

// noArguments makes of a surplus word what it is: a wrong command line. For a campaign there is a flag.
func refuseArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unexpected argument %q", args[0])
	if len(args) == 1 && command.Flags().Lookup("campaign") != nil {
		err = fmt.Errorf("%w; for one campaign: %s --campaign %s", err, command.Name(), args[0])
	}
	return newUsageError(command, err)
}

func newUsageError(command *cobra.Command, err error) error {
	err = ExplainFlag(err)
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; see %s --help", err, command.Name()))
}

// ExplainFlag says of a flag that was not found why a secret has none.
func ExplainFlag(err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	name := unknown.GetSpecifiedName()
	if reason := config.SecretFlag(name); reason != "" {
		return fmt.Errorf("--%s %s", name, reason)
	}
	return err
}

// Report prints a program's error, and returns its exit code. A reader that has seen enough of the output, as head does, is no
// news to anyone.
func ReportError(name string, err error) int {
	if lost, ok := errors.AsType[*terminal.WriteError](err); err != nil && (!ok || !lost.IsBrokenPipe()) {
		fmt.Fprintf(terminal.Stderr(), "%s: %s\n", name, indentRest(daemon.Scrub(err.Error())))
	}
	return daemon.ExitCode(err)
}

// indented keeps the further lines of an error below its first: what they quote cannot pass for a message of its own.
func indentRest(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if i > 0 && !strings.HasPrefix(line, " ") {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

// Printed is what a command came to whose output may have been lost: a fault, even if all else went well.
func CheckOutput(err error, outputs ...*terminal.Output) error {
	for _, output := range outputs {
		if lost := output.Err(); lost != nil && err == nil {
			err = daemon.WithExitCode(daemon.ExitFault, fmt.Errorf("%w; what the command does besides is done", lost))
		}
	}
	return err
}

// NewLogger makes the logger that the settings ask for.
func NewLogger(w io.Writer, s config.Log) (*slog.Logger, error) {
	return daemon.NewLogger(w, s.Level, s.Format)
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

// checkRedis refuses to start on a Redis that cannot be reached, that is another kind than the settings say, or that may throw
// recipients away.
func (r *Rooms) checkRedis(ctx context.Context) error {
	mode, evicts, err := checks.Redis{Client: r.Redis}.AtStart(ctx)
	switch {
	case err != nil:
		return assignRedisExitCode(err)
	case mode.Grade == checks.Failure:
		return daemon.WithExitCode(daemon.ExitUsage, errors.New(formatFinding(mode)))
	case evicts.Grade == checks.Failure && !r.Settings.Redis.AllowVolatileEviction:
		return daemon.WithExitCode(daemon.ExitUsage, errors.New(formatFinding(evicts)+"; or set redis.allow_volatile_eviction"))
	case evicts.Grade != checks.Good:
		r.Logger.Warn(formatFinding(evicts))
	}
	return nil
}

func formatFinding(f checks.Finding) string {
	return fmt.Sprintf("%s: %s: %s", f.Name, f.Detail, f.Advice)
}

// asExit gives an error of Redis its exit code and its advice: refused credentials and an untrusted certificate are not cured by a
// restart, an outage is.
func assignRedisExitCode(err error) error {
	switch {
	case redisx.Denied(err):
		return daemon.WithExitCode(daemon.ExitCredentials, fmt.Errorf("%w; %s", err, checks.RedisAdvice(err)))
	case checks.UntrustedRedis(err):
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; %s", err, checks.RedisAdvice(err)))
	}
	return err
}
