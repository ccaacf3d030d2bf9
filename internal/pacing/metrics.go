package pacing

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are this package's own. A nil registerer leaves them unregistered.
type metrics struct {
	granted, shares, dropped prometheus.Counter
}

const (
	namespace = "fanfare"
	subsystem = "pacing"
)

func newMetrics(reg prometheus.Registerer, g *Governor) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help})
	}
	gauge := func(name, help string, read func(now time.Time) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, func() float64 {
			g.mu.Lock()
			defer g.mu.Unlock()
			return read(time.Now())
		})
	}
	m := &metrics{
		granted: counter("permits_total", "Pushes that were let go."),
		shares:  counter("shares_total", "Shares of the quota, and of campaigns' own rates, leased from Redis."),
		dropped: counter("permits_dropped_total", "Permits leased and not spent: too late, or void after a gate, a halt or another rate."),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.granted, m.shares, m.dropped,
		gauge("waiting", "Pushes that wait for their turn.", func(time.Time) float64 { return float64(g.scheduler.waiting) }),
		gauge("gate_closed", "1 while FCM has asked the project to wait.", func(now time.Time) float64 { return bit(g.gate.isClosed(now)) }),
		gauge("halted", "1 while the project is halted.", func(time.Time) float64 { return bit(g.halted) }),
		gauge("rate", "Pushes a second of the whole project, in the share leased last.", func(time.Time) float64 { return g.rate }),
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func bit(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
