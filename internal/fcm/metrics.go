package fcm

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are this room's own; a nil registerer leaves them unregistered.
type metrics struct {
	sends       *prometheus.CounterVec
	seconds     prometheus.Histogram
	connections prometheus.Gauge
	dials       prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	const namespace, subsystem = "fanfare", "fcm"
	m := &metrics{
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "sends_total", Help: "Sends by the class of their answer.",
		}, []string{"class"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "send_seconds", Help: "Time from Send to its answer.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30},
		}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "connections", Help: "TLS connections open.",
		}),
		dials: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "dials_total", Help: "TLS connections made.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.sends, m.seconds, m.connections, m.dials} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) observe(c Class, took time.Duration) {
	m.sends.WithLabelValues(c.String()).Inc()
	m.seconds.Observe(took.Seconds())
}
