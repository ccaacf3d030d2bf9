package pacing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// MaxQuota is the highest quota that can be set, in pushes a minute. Firebase grants far less.
const MaxQuota = 60_000_000

// Settings are what an operator may change while replicas run.
type Settings struct {
	// Quota is what Firebase grants the project, in messages a minute.
	Quota int
	// Headroom is the share of the quota that stays unused, from 0 to below 1. It absorbs pushes
	// that arrive in the quota's next minute, and the application's own.
	Headroom float64
	// Ramp is the time from standstill to full pace. 0 means none.
	Ramp time.Duration
	// AvoidQuarterHours stops sending within two minutes of :00, :15, :30 and :45.
	AvoidQuarterHours bool
}

// DefaultSettings use FCM's default quota less a hundredth. The ramp is the one of Google's "Scale
// your FCM sends".
func DefaultSettings() Settings { return Settings{Quota: 600_000, Headroom: 0.01, Ramp: time.Minute} }

// Validate returns an error for each setting that is out of range.
func (s Settings) Validate() error {
	var errs []error
	if s.Quota < 1 || s.Quota > MaxQuota {
		errs = append(errs, fmt.Errorf("quota of %d a minute is not within 1 and %d", s.Quota, MaxQuota))
	}
	if !(s.Headroom >= 0 && s.Headroom <= MaxHeadroom) {
		errs = append(errs, fmt.Errorf("headroom of %.4g%% is not within 0 and %.4g%%", 100*s.Headroom, 100*MaxHeadroom))
	}
	if s.Ramp < 0 || s.Ramp > MaxRamp {
		errs = append(errs, fmt.Errorf("ramp of %s is not within 0 and %s", s.Ramp, MaxRamp))
	}
	return errors.Join(errs...)
}

// The upper bounds of a project's settings, besides MaxQuota. lua/lease.lua has them too.
const (
	MaxHeadroom = 0.99 // a rate above zero must be left
	MaxRamp     = 24 * time.Hour
)

// Rate returns the full pace in pushes a second.
func (s Settings) Rate() float64 { return 1e6 / s.interval() }

// interval returns the time from one push to the next at full pace, in µs.
func (s Settings) interval() float64 { return 60_000_000 / (float64(s.Quota) * (1 - s.Headroom)) }

// describe says the settings in words, for the history.
func (s Settings) describe() string {
	text := fmt.Sprintf("%d a minute, headroom %s%%, ramp %s", s.Quota, strconv.FormatFloat(100*s.Headroom, 'f', -1, 64), s.Ramp)
	if s.AvoidQuarterHours {
		text += ", quarter hours avoided"
	}
	return text
}

// Settings returns those in force: an operator's, or else the Governor's own.
func (g *Governor) Settings(ctx context.Context) (Settings, error) {
	state, err := g.State(ctx)
	return state.Settings, err
}

// Set applies settings to all replicas, at once and until Reset. They override each replica's own.
func (g *Governor) Set(ctx context.Context, s Settings) error {
	if err := s.Validate(); err != nil {
		return fmt.Errorf("set pace: %w", err)
	}
	return g.set(ctx, s, true)
}

// Reset deletes the operator's settings. Each replica's own apply again.
func (g *Governor) Reset(ctx context.Context) error { return g.set(ctx, g.o.Settings, false) }

func (g *Governor) set(ctx context.Context, s Settings, keep bool) error {
	era, err := g.shared.set(ctx, g.o.interval(), s, keep, g.actor(ctx))
	if err != nil {
		return fmt.Errorf("set pace: %w", err)
	}
	g.startEra(era)
	return nil
}

// Options configure a Governor. Start from DefaultOptions, because a zero Ramp means none.
type Options struct {
	// Settings apply until an operator sets others; see Governor.Set.
	Settings
	// Idle is the pause after which the ramp begins again. A shorter pause takes back a part of it.
	Idle time.Duration
	// MaxGate bounds a Retry-After.
	MaxGate time.Duration
	// By is who halts, resumes and sets the quota. history.WithActor goes before it.
	By string

	Registerer prometheus.Registerer // nil: no metrics
	Logger     *slog.Logger          // nil: silent
}

// The defaults of Options.
const (
	DefaultIdle    = 30 * time.Second
	DefaultMaxGate = time.Hour
)

// DefaultOptions use nearly all of FCM's default quota.
func DefaultOptions() Options {
	return Options{Settings: DefaultSettings(), Idle: DefaultIdle, MaxGate: DefaultMaxGate}
}

func (o Options) validate() error {
	errs := []error{o.Validate()}
	if o.Idle < time.Second {
		errs = append(errs, fmt.Errorf("idle of %s is shorter than a second", o.Idle))
	}
	if o.MaxGate < time.Second {
		errs = append(errs, fmt.Errorf("longest gate of %s is shorter than a second", o.MaxGate))
	}
	return errors.Join(errs...)
}
