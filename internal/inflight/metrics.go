package inflight

import "github.com/prometheus/client_golang/prometheus"

// metrics are this room's own; a nil registerer leaves them unregistered.
type metrics struct {
	decreases prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, l *Limiter) (*metrics, error) {
	const namespace, subsystem = "fanfare", "inflight"
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, func() float64 {
			l.mu.Lock()
			defer l.mu.Unlock()
			return float64(read())
		})
	}
	m := &metrics{decreases: prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "decreases_total", Help: "Times that the limit was lowered.",
	})}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.decreases,
		gauge("limit", "Requests that may be in flight now.", func() int { return l.limit }),
		gauge("requests", "Requests in flight.", func() int { return l.inFlight }),
		gauge("waiting", "Pushes that may go and wait for room on the wire.", l.waiting.Len),
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) moved(before, after int) {
	if after < before {
		m.decreases.Inc()
	}
}
