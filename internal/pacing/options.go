package pacing

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

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
