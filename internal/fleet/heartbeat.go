package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"fanfare/internal/periodic"
	"fanfare/internal/redisx"
	"fanfare/internal/warnings"
)

// Interval is the time between two beats of a process.
const Interval = 2 * time.Second

// missedBeats is how many beats may be missing before a process counts as dead.
const missedBeats = 3

// maxWarnings limits the warnings in one beat.
const maxWarnings = 5

// lister lists what fails at the moment. The handler of a daemon's log does; see package warnings.
type lister interface {
	List(limit int) []warnings.Current
}

// Worker is the part of a process that a heartbeat describes.
type Worker interface{ Load() Load }

// Heartbeat reports one process until it stops.
type Heartbeat struct {
	fleet    *Fleet
	process  Process
	worker   Worker
	interval time.Duration
	now      func() time.Time
	log      *slog.Logger
	warnings lister       // nil: unknown
	phase    atomic.Value // Phase
	failing  bool         // the last beat failed
	beatAt   time.Time    // the last beat that Redis knows
}

// NewHeartbeat makes the heartbeat of a process, whose ID, Phase and figures need not be set.
func (f *Fleet) NewHeartbeat(p Process, w Worker, log *slog.Logger) *Heartbeat {
	p.ID = uuid.NewString()
	h := &Heartbeat{fleet: f, process: p, worker: w, interval: Interval, now: time.Now, log: log}
	h.phase.Store(Starting)
	h.warnings, _ = log.Handler().(lister)
	return h
}

// SetPhase says where the process is. The next beat reports it. A stopping process stays so.
func (h *Heartbeat) SetPhase(phase Phase) {
	if !h.phase.CompareAndSwap(Starting, phase) && phase == Stopping {
		h.phase.Store(phase)
	}
}

// Run beats at once and then at each interval, until ctx ends. It never fails: a beat that Redis
// does not take is tried again by the next one.
func (h *Heartbeat) Run(ctx context.Context) {
	periodic.RunNow(ctx, h.interval, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, h.interval)
		defer cancel()
		h.logChange(ctx, h.beat(ctx))
	})
}

// Start runs the heartbeat until stop is called, which takes the process off the list. Its error
// says that Redis was away: then the entry expires.
func (h *Heartbeat) Start(ctx context.Context) (stop func(context.Context) error) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	return func(ctx context.Context) error {
		end()
		running.Wait()
		return h.Remove(ctx)
	}
}

// beat is one tick. What was done since the last beat that Redis knows gives the rate.
func (h *Heartbeat) beat(ctx context.Context) error {
	now := h.now()
	p := h.process
	p.Phase, _ = h.phase.Load().(Phase)
	p.Load, p.Memory = h.worker.Load(), memory()
	if h.warnings != nil {
		p.Warnings = h.warnings.List(maxWarnings)
	}
	if took := now.Sub(h.beatAt).Seconds(); !h.beatAt.IsZero() && took > 0 {
		p.Rate = float64(p.Done-h.process.Done) / took
	}
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode heartbeat: %w", err)
	}
	ttl := missedBeats * h.interval
	err = beatScript.Run(ctx, h.fleet.rdb, []string{h.fleet.key(p.Role)}, p.ID, text, ttl.Milliseconds()).Err()
	if err != nil {
		return redisx.AsTypeError(err)
	}
	h.process.Done, h.beatAt = p.Done, now
	return nil
}

// logChange logs when beats begin to fail, and when they succeed again.
func (h *Heartbeat) logChange(ctx context.Context, err error) {
	switch {
	case err != nil && !h.failing && !errors.Is(context.Cause(ctx), context.Canceled):
		h.failing = true
		h.log.Warn("heartbeat failed; fanfare ps does not show this process until one succeeds", "error", err)
	case err == nil && h.failing:
		h.failing = false
		h.log.Info("heartbeat succeeded again")
	}
}

// Remove takes the process off the list, so that it does not count as alive any longer. If Redis
// is away, the entry expires.
func (h *Heartbeat) Remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.interval)
	defer cancel()
	if err := h.fleet.rdb.HDel(ctx, h.fleet.key(h.process.Role), h.process.ID).Err(); err != nil {
		return fmt.Errorf("remove heartbeat: %w", err)
	}
	return nil
}

// memory is how many bytes Go has from the system.
func memory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
