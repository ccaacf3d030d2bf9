package dispatcher

import "github.com/prometheus/client_golang/prometheus"

// metrics are this room's own counters; a nil registerer leaves them unregistered.
type metrics struct {
	claimed   prometheus.Counter
	outcomes  *prometheus.CounterVec
	retries   prometheus.Counter
	lost      prometheus.Counter
	reaped    prometheus.Counter
	forwarded prometheus.Counter
	trips     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, d *Dispatcher) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "fanfare", Subsystem: "dispatcher", Name: name, Help: help})
	}
	m := &metrics{
		claimed: counter("claimed_total", "Recipients claimed, those claimed again included."),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "fanfare", Subsystem: "dispatcher", Name: "outcomes_total", Help: "Recipients that ended here, by status and code.",
		}, []string{"status", "code"}),
		retries: counter("retries_total", "Recipients put off to a later try, those who wait for SQL or for credentials included."),
		lost:    counter("lost_leases_total", "Recipients whose lease was lost before they were sent to, or before their outcome was written."),
		reaped:  counter("reaped_total", "Recipients given back from leases that had expired."),
		trips: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "fanfare", Subsystem: "dispatcher", Name: "trips_total", Help: "Breakers that tripped and that this process acted on, by scope and kind of answer.",
		}, []string{"scope", "kind"}),
		forwarded: counter("forwarded_total", "Results carried to the responses list."),
	}
	if reg == nil {
		return m, nil
	}
	inflight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "fanfare", Subsystem: "dispatcher", Name: "in_flight", Help: "Recipients held now, from claim to outcome.",
	}, func() float64 {
		return float64(d.holding.Load())
	})
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "fanfare", Subsystem: "dispatcher", Name: "held_campaigns",
		Help: "Running campaigns on hold because pushes get no answers, until FCM answers a probe.",
	}, func() float64 { return float64(len(d.warden.onHold())) })
	for _, c := range []prometheus.Collector{m.claimed, m.outcomes, m.retries, m.lost, m.reaped, m.forwarded, m.trips, inflight, held} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
