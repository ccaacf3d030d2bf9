// Package daemon runs a program: signals, exit codes, log, health, metrics, systemd, and the order
// in which things stop. It knows nothing of campaigns.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"fanfare/internal/periodic"
	"fanfare/internal/threads"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/client_golang/prometheus"
)

// Options configure Run.
type Options struct {
	Name         string        // the program's, for the log
	Listen       string        // host:port for health and metrics; empty: none
	DrainTimeout time.Duration // from the first signal until the work context ends; zero: no limit
	Logger       *slog.Logger

	// Signals ask the program to stop; nil: SIGTERM and SIGINT.
	Signals <-chan os.Signal
}

// CleanupTimeout bounds all clean-ups together. It comes on top of DrainTimeout.
const CleanupTimeout = 10 * time.Second

// The causes of the end of a context (context.Cause).
var (
	ErrSecondSignal  = errors.New("stopped by a second signal")
	ErrDrainTimeout  = errors.New("drain timed out")
	errStopRequested = errors.New("stop requested")
)

// Process is the running program, as its body sees it.
type Process struct {
	Logger   *slog.Logger
	Registry *prometheus.Registry
	Health   *Health

	fetchCtx, workCtx       context.Context
	cancelFetch, cancelWork context.CancelCauseFunc
	cleanups                Cleanups
	stopping                sync.Once
	server                  *server
}

// Run runs a program's body between its start and its end.
//
// The first signal, or the end of ctx, ends the fetch context: the body takes no new work and
// finishes what it has. The second signal, or DrainTimeout after the first, ends the work context:
// the body gives up unfinished work.
//
// After the body, Run closes what was passed to OnStop, the last first. Health and metrics close at
// the very end, so that the drain stays visible.
//
// Run logs and returns the error of the body, joined with those of the clean-ups. ExitCode turns it
// into an exit code.
func Run(ctx context.Context, o Options, body func(p *Process) error) error {
	if o.Logger == nil {
		return errors.New("daemon: no logger")
	}
	p := &Process{Logger: o.Logger, Registry: newRegistry(), Health: newHealth()}
	p.workCtx, p.cancelWork = context.WithCancelCause(context.WithoutCancel(ctx))
	defer p.cancelWork(nil)
	p.fetchCtx, p.cancelFetch = context.WithCancelCause(p.workCtx)
	routeRedisLog(o.Logger)
	o.Logger.Info("starting", "program", o.Name, "version", Version(), "pid", os.Getpid())
	err := p.run(ctx, o, body)
	FlushWarnings(o.Logger)
	o.logEnd(ctx, err)
	return err
}

func (p *Process) run(ctx context.Context, o Options, body func(p *Process) error) error {
	if err := p.startServer(o.Listen); err != nil {
		return err
	}
	signals, release := o.signals()
	defer release()
	done := make(chan struct{})
	var agents sync.WaitGroup
	agents.Go(func() { p.watchSignals(ctx, signals, o.DrainTimeout, done) })
	agents.Go(func() { watchdog(p.workCtx, p.Logger) })
	agents.Go(func() { periodic.Run(p.workCtx, threads.ReviewInterval, threads.NewFitter().Review) })

	err := body(p)
	close(done)
	p.stopFetching("work has ended")
	err = errors.Join(err, p.runCleanups(ctx))
	p.cancelWork(nil)
	agents.Wait()
	return err
}

// logEnd logs how the program ended, so that the caller need not print it.
func (o Options) logEnd(ctx context.Context, err error) {
	level, code := slog.LevelError, ExitCode(err)
	if code == ExitOK || code == ExitLeftover {
		level = slog.LevelInfo
	}
	attrs := []any{"program", o.Name, "code", code}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	o.Logger.Log(ctx, level, "stopped", attrs...)
}

// FetchCtx is the context for taking new work. It ends when a stop is requested.
func (p *Process) FetchCtx() context.Context { return p.fetchCtx }

// WorkCtx is the context for finishing work. Its cause is ErrSecondSignal or ErrDrainTimeout.
func (p *Process) WorkCtx() context.Context { return p.workCtx }

// OnStop registers a clean-up to run after the body. The last registered runs first.
func (p *Process) OnStop(name string, run func(context.Context) error) { p.cleanups.Add(name, run) }

// Ready reports to systemd and to /readyz that the start is done.
func (p *Process) Ready() {
	if p.Health.phase.CompareAndSwap(phaseStarting, phaseReady) {
		notify(p.Logger, daemon.SdNotifyReady)
		p.Logger.Info("ready")
	}
}

// Addr returns the address of health and metrics, or "" if they are not served.
func (p *Process) Addr() string {
	if p.server == nil {
		return ""
	}
	return p.server.addr.String()
}

func (p *Process) startServer(addr string) (err error) {
	if addr != "" {
		p.server, err = newServer(p.workCtx, addr, handler(p.Health, p.Registry), p.Logger)
	}
	return err
}

// stopFetching ends the fetch context, once.
func (p *Process) stopFetching(why string) {
	p.stopping.Do(func() {
		p.Health.phase.Store(phaseStopping)
		notify(p.Logger, daemon.SdNotifyStopping)
		p.Logger.Info("stopping", "why", why)
		p.cancelFetch(errStopRequested)
	})
}

func (p *Process) runCleanups(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CleanupTimeout)
	defer cancel()
	err := p.cleanups.Run(ctx, p.Logger)
	if p.server != nil {
		if closed := p.server.close(ctx); closed != nil {
			err = errors.Join(err, fmt.Errorf("close health and metrics: %w", closed))
		}
	}
	return err
}

func (o Options) signals() (<-chan os.Signal, func()) {
	if o.Signals != nil {
		return o.Signals, func() {}
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	return signals, func() { signal.Stop(signals) }
}

// sameSignalInterval is how close together two signals count as one. timeout(1) and some
// supervisors signal a process and then its whole group.
const sameSignalInterval = 500 * time.Millisecond

// watchSignals waits for the first signal and stops fetching. A later signal, or the end of drain,
// cancels the work. It returns when done closes.
func (p *Process) watchSignals(ctx context.Context, signals <-chan os.Signal, drain time.Duration, done <-chan struct{}) {
	select {
	case <-done:
		return
	case sig := <-signals:
		p.stopFetching(sig.String())
	case <-ctx.Done():
		p.stopFetching(context.Cause(ctx).Error())
	}

	var over <-chan time.Time
	if drain > 0 {
		timer := time.NewTimer(drain)
		defer timer.Stop()
		over = timer.C
	}
	for first := time.Now(); ; {
		select {
		case <-done:
			return
		case sig := <-signals:
			if time.Since(first) < sameSignalInterval {
				continue
			}
			p.Logger.Warn("stopping at once; work in flight is given up", "why", sig.String())
			p.cancelWork(ErrSecondSignal)
		case <-over:
			p.Logger.Warn("drain timed out; work in flight is given up", "drain", drain)
			p.cancelWork(ErrDrainTimeout)
		}
		return
	}
}

// notify sends a state to systemd. Without systemd (no NOTIFY_SOCKET) it does nothing.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd notification failed", "state", state, "error", err)
	}
}

// watchdog sends systemd a sign of life until ctx ends, also while the work drains. A process that
// is frozen or gets no CPU sends none.
func watchdog(ctx context.Context, log *slog.Logger) {
	interval := watchdogInterval(log)
	if interval <= 0 {
		return
	}
	periodic.RunNow(ctx, interval, func(context.Context) { notify(log, daemon.SdNotifyWatchdog) })
}

// watchdogInterval returns half of the interval that systemd demands, or zero without a watchdog.
func watchdogInterval(log *slog.Logger) time.Duration {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("systemd watchdog interval unreadable; watchdog is off", "error", err)
	}
	return interval / 2
}

// Version returns the version and commit of the build, such as "v1.2.0 (3f2a91c, modified,
// go1.26.8)".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return version(info)
}

func version(info *debug.BuildInfo) string {
	setting := make(map[string]string)
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	var details []string
	if revision := setting["vcs.revision"]; revision != "" {
		details = append(details, revision[:min(len(revision), 12)])
	}
	if setting["vcs.modified"] == "true" {
		details = append(details, "modified")
	}
	details = append(details, info.GoVersion)
	return fmt.Sprintf("%s (%s)", info.Main.Version, strings.Join(details, ", "))
}
