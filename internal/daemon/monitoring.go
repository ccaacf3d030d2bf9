package daemon

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Monitoring is what a program that is no Process shows of itself: a console, for example.
type Monitoring struct {
	Addr       string           // such as 127.0.0.1:9466
	Ready      map[string]Check // what /readyz reports
	Collectors []prometheus.Collector
	Logger     *slog.Logger
}

// Serve serves /livez, /readyz and /metrics as a Process does, beside those of the Go runtime,
// until stop is called.
func (m Monitoring) Serve(ctx context.Context) (stop func(context.Context) error, err error) {
	registry, health := newRegistry(), newHealth()
	for _, each := range m.Collectors {
		if err := registry.Register(each); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	for name, check := range m.Ready {
		health.AddReady(name, check)
	}
	health.phase.Store(phaseReady)
	s, err := newServer(ctx, m.Addr, handler(health, registry), m.Logger)
	if err != nil {
		return nil, err
	}
	return s.close, nil
}
