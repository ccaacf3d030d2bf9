package responder

import (
	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/notification"
)

// metrics are the responder's metrics. A nil registerer leaves them unregistered.
type metrics struct {
	results  *prometheus.CounterVec
	dead     *prometheus.CounterVec
	faults   *prometheus.CounterVec
	batch    prometheus.Histogram
	age      prometheus.Histogram
	lost     prometheus.Counter
	reaped   prometheus.Counter
	dropped  prometheus.Counter
	lag      prometheus.Gauge
	waiting  prometheus.Gauge
	inFlight prometheus.Gauge
	letters  prometheus.Gauge
	halted   prometheus.Gauge
}

const (
	namespace = "fanfare"
	subsystem = "responder"
)

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help})
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(
		prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, []string{label})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help})
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		results: counters("results_total", "Results written to SQL and removed from Redis, by status.", "status"),
		dead:    counters("dead_letters_total", "Dead letters written, by kind.", "kind"),
		faults:  counters("faults_total", "Batches that the database did not take, by kind of fault.", "fault"),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "batch_seconds",
			Help: "Time of one transaction, failed ones included.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "result_age_seconds",
			Help:    "Time from a recipient's outcome until a responder took it to SQL, by Redis' clock and the sender's.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600},
		}),
		lost:     counter("lost_leases_total", "Results whose lease was lost before they were removed; another responder writes them."),
		reaped:   counter("reaped_total", "Results taken back from expired leases."),
		dropped:  counter("dead_letters_dropped_total", "Dead letters dropped because there were too many or they were too old."),
		lag:      gauge("lag_seconds", "Age of the oldest result that waits for SQL, as far as this responder knows; 0 when none waits."),
		waiting:  gauge("waiting_results", "Results in the list that are not claimed."),
		inFlight: gauge("in_flight_results", "Results claimed by any responder."),
		letters:  gauge("dead_letters", "Dead letters in the list."),
		halted:   gauge("halted", "1 while nothing can be written and a person has to act."),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.results, m.dead, m.faults, m.batch, m.age, m.lost, m.reaped, m.dropped, m.lag, m.waiting, m.inFlight, m.letters, m.halted,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// countBatch counts a batch that is written and removed.
func (m *metrics) countBatch(b *batch, refused map[int]error) {
	written := make(map[notification.Status]int) // finding a counter costs more than counting
	for i := range b.results {
		if refused[i] != nil {
			continue
		}
		written[b.results[i].Status]++
		m.age.Observe(max(0, b.lease.Now.Sub(b.results[i].At).Seconds()))
	}
	for status, n := range written {
		m.results.WithLabelValues(string(status)).Add(float64(n))
	}
	for kind, n := range b.letters {
		m.dead.WithLabelValues(string(kind)).Add(float64(n))
	}
}
