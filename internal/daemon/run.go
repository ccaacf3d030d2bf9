// Package daemon is the skeleton of the programs: signals, exit codes, log, health, metrics, systemd, and the order in
// which things stop. It knows nothing of campaigns.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/client_golang/prometheus"
)

// Options are what a program tells the skeleton.
type Options struct {
	Name         string        // the program's, for the log
	Listen       string        // host:port for health and metrics; empty: none
	DrainTimeout time.Duration // from the first signal until the work context ends; zero: only a second signal ends it
	Logger       *slog.Logger

	// Signals ask to stop; nil: SIGTERM and SIGINT.
	Signals <-chan os.Signal
}

// CleanupTimeout bounds all that is closed after the work; it comes on top of Drain.
const CleanupTimeout = 10 * time.Second

// The causes that the work context ends with (context.Cause).
var (
	ErrSecondSignal  = errors.New("a second signal came")
	ErrDrainTimeout  = errors.New("the time to drain is over")
	errStopRequested = errors.New("a stop was asked for")
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
// The first signal, or the end of ctx, ends the Fetch context: nothing new is taken, what was taken is finished. The
// second signal, or Drain after the first, ends the Work context, and what is unfinished is given up. When the body has
// returned, what it handed to OnStop is closed, the last first; then health and metrics, which tell of the drain to its end.
// The error is the body's, joined with those of the clean-ups: it stands in the log, and Code turns it into the exit code.
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

	err := body(p)
	close(done)
	p.stopFetching("the work has ended")
	err = errors.Join(err, p.runCleanups(ctx))
	p.cancelWork(nil)
	agents.Wait()
	return err
}

// tell says in the log what the program came to: the caller need not print it.
func (o Options) logEnd(ctx context.Context, err error) {
	level, code := slog.LevelError, ExitCode(err)
	if code == ExitOK || code == ExitLeftover {
		level = slog.LevelInfo
	}
	said := []any{"program", o.Name, "code", code}
	if err != nil {
		said = append(said, "error", err)
	}
	o.Logger.Log(ctx, level, "stopped", said...)
}

// Fetch is the context of taking new work; it ends when a stop is asked for.
func (p *Process) FetchCtx() context.Context { return p.fetchCtx }

// Work is the context of finishing what was taken; its cause is ErrSecondSignal or ErrDrainTimeout.
func (p *Process) WorkCtx() context.Context { return p.workCtx }

// OnStop closes something after the body has returned; what was added last is closed first.
func (p *Process) OnStop(name string, run func(context.Context) error) { p.cleanups.Add(name, run) }

// Ready says that the start is done: to systemd, and to whoever asks /readyz.
func (p *Process) Ready() {
	if p.Health.phase.CompareAndSwap(phaseStarting, phaseReady) {
		notify(p.Logger, daemon.SdNotifyReady)
		p.Logger.Info("ready")
	}
}

// Addr is where health and metrics are served; empty when they are not.
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

// stop ends the fetching, once.
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
