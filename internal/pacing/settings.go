package pacing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// MaxQuota is the highest quota that can be set, in pushes a minute: far above what Firebase grants anyone.
const MaxQuota = 60_000_000

// Settings are what an operator may change while replicas run.
type Settings struct {
	// Quota is what Firebase grants the project, in messages a minute.
	Quota int
	// Headroom is the part of the quota, 0 to below 1, that is left unused: for pushes that arrive late, in the quota's next
	// minute, and for the application's own.
	Headroom float64
	// Ramp is how long it takes from standstill to full pace; 0 is no time at all.
	Ramp time.Duration
	// AvoidQuarterHours lets nothing go within two minutes of :00, :15, :30 and :45.
	AvoidQuarterHours bool
}

// DefaultSettings are FCM's default quota less a hundredth, and the ramp that Google's "Scale your FCM sends" asks for.
func DefaultSettings() Settings { return Settings{Quota: 600_000, Headroom: 0.01, Ramp: time.Minute} }

// Validate tells what cannot be obeyed.
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

// The upper bounds of a project's settings, besides MaxQuota.
const (
	MaxHeadroom = 0.99 // the rest must be a rate
	MaxRamp     = 24 * time.Hour
)

// Rate is the full pace in pushes a second.
func (s Settings) Rate() float64 { return 1e6 / s.interval() }

// interval is the time from one push to the next at full pace, in µs.
func (s Settings) interval() float64 { return 60_000_000 / (float64(s.Quota) * (1 - s.Headroom)) }

// Settings are those in force: what an operator has set, else the Governor's own.
func (g *Governor) Settings(ctx context.Context) (Settings, error) {
	state, err := g.State(ctx)
	return state.Settings, err
}

// Set puts settings in force for all replicas, at once and until Reset, whatever their own are.
func (g *Governor) Set(ctx context.Context, s Settings) error {
	if err := s.Validate(); err != nil {
		return fmt.Errorf("set pace: %w", err)
	}
	return g.set(ctx, s, true)
}

// Reset forgets what was set: each replica's own settings hold again.
func (g *Governor) Reset(ctx context.Context) error { return g.set(ctx, g.o.Settings, false) }

func (g *Governor) set(ctx context.Context, s Settings, keep bool) error {
	era, err := g.book.set(ctx, g.o.interval(), s, keep)
	if err != nil {
		return fmt.Errorf("set pace: %w", err)
	}
	g.hear(era)
	return nil
}

// Options of a Governor. Start from DefaultOptions: a zero Ramp is none.
type Options struct {
	// Settings hold until an operator sets others; see Governor.Set.
	Settings
	// Idle is the pause after which the ramp begins again; a shorter one takes back a part of it.
	Idle time.Duration
	// MaxGate bounds what a Retry-After may ask for.
	MaxGate time.Duration
	// By is written beside a halt, so that a person finds out who halted the project.
	By string

	Registerer prometheus.Registerer // nil: no metrics
	Logger     *slog.Logger          // nil: silent
}

// The defaults of Options.
const (
	DefaultIdle    = 30 * time.Second
	DefaultMaxGate = time.Hour
)

// DefaultOptions use nearly all of the quota that FCM gives a project.
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
