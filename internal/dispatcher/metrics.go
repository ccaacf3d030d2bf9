package dispatcher

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
)

// metrics are this room's own counters. A nil registerer leaves them unregistered.
type metrics struct {
	claimed  prometheus.Counter
	outcomes *prometheus.CounterVec
	accepted prometheus.Histogram
	retries  prometheus.Counter

	windowWaits prometheus.Counter
	lost        prometheus.Counter
	reaped      prometheus.Counter
	forwarded   prometheus.Counter
	trips       *prometheus.CounterVec
	campaigns   *prometheus.GaugeVec
	broken      *prometheus.GaugeVec

	held atomic.Int64 // recipients from claim to outcome, of closed campaigns too
	done atomic.Int64 // recipients that ended here

	sent prometheus.Counter // the most frequent of the outcomes: finding it costs more than counting

	shown map[[2]string]bool // label values of broken; the discoverer's alone

	rareMu sync.Mutex
	rare   map[string]bool // rare codes that have a series of their own
}

// brokenShown bounds the series of broken campaigns. Their number is in campaigns in any case.
const brokenShown = 100

// setBroken shows which campaigns are broken, and what of them.
func (m *metrics) setBroken(errs map[string]error) {
	m.campaigns.WithLabelValues("broken").Set(float64(len(errs)))
	now := make(map[[2]string]bool)
	for _, id := range slices.Sorted(maps.Keys(errs)) {
		if len(now) == brokenShown {
			break
		}
		now[[2]string{id, faultyPart(errs[id])}] = true
	}
	for labels := range m.shown {
		if !now[labels] {
			m.broken.DeleteLabelValues(labels[0], labels[1])
		}
	}
	for labels := range now {
		m.broken.WithLabelValues(labels[0], labels[1]).Set(1)
	}
	m.shown = now
}

// faultyPart is what of a campaign is broken: a field of its spec, or a key.
func faultyPart(err error) string {
	if len(notification.FaultsOf(err)) > 0 {
		return "message"
	}
	if spec, ok := errors.AsType[*campaign.SpecError](err); ok {
		return spec.Field
	}
	if _, ok := errors.AsType[*redisx.TypeError](err); ok {
		return "key"
	}
	return "spec"
}

func newMetrics(reg prometheus.Registerer, campaigns *roster) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "fanfare", Subsystem: "dispatcher", Name: name, Help: help})
	}
	m := &metrics{
		rare:    make(map[string]bool),
		claimed: counter("claimed_total", "Recipients claimed, those claimed again included."),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "fanfare", Subsystem: "dispatcher", Name: "outcomes_total", Help: "Recipients that ended here, by status and code.",
		}, []string{"status", "code"}),
		accepted: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "fanfare", Subsystem: "dispatcher", Name: "accept_seconds",
			Help:    "Time from the first claim of a recipient until FCM accepted the message, retries included.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600},
		}),
		retries: counter("retries_total", "Recipients put off to a later try, those who wait for SQL or for credentials included."),

		windowWaits: counter("window_waits_total", "Recipients put off until their window opens; they are no retries."),

		lost:   counter("lost_leases_total", "Recipients whose lease was lost before they were sent to, or before their outcome was written."),
		reaped: counter("reaped_total", "Recipients given back from leases that had expired."),
		trips: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "fanfare", Subsystem: "dispatcher", Name: "trips_total", Help: "Breakers that tripped and that this process acted on, by scope and kind of answer.",
		}, []string{"scope", "kind"}),
		campaigns: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "fanfare", Subsystem: "dispatcher", Name: "campaigns", Help: "Campaigns that this process knows, by what it does with them.",
		}, []string{"state"}),
		broken: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "fanfare", Subsystem: "dispatcher", Name: "broken_campaign", Help: "1 for each campaign that is not served because of its spec, by the field at fault.",
		}, []string{"campaign", "field"}),
		forwarded: counter("forwarded_total", "Results carried to the responses list."),
	}
	m.sent = m.outcomes.WithLabelValues(string(notification.StatusSent), "")
	if reg == nil {
		return m, nil
	}
	inflight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "fanfare", Subsystem: "dispatcher", Name: "in_flight", Help: "Recipients held now, from claim to outcome.",
	}, func() float64 {
		return float64(m.held.Load())
	})
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "fanfare", Subsystem: "dispatcher", Name: "held_campaigns",
		Help: "Running campaigns on hold because pushes get no answers, until FCM answers a probe.",
	}, func() float64 { return float64(len(campaigns.onHold())) })
	for _, c := range []prometheus.Collector{m.claimed, m.outcomes, m.accepted, m.retries, m.windowWaits, m.lost, m.reaped, m.forwarded, m.trips, m.campaigns, m.broken, inflight, held} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ended counts a recipient that ended, and how long after its first claim. Rare codes beyond the
// first few share a series, because an endpoint may invent any number.
func (m *metrics) ended(status notification.Status, code string, took time.Duration) {
	m.done.Add(1)
	if status == notification.StatusSent {
		m.accepted.Observe(took.Seconds())
	}
	if status == notification.StatusSent && code == "" {
		m.sent.Inc()
		return
	}
	if notification.IsRareCode(code) && !m.admits(code) {
		code = notification.CodeOther
	}
	m.outcomes.WithLabelValues(string(status), code).Inc()
}

// admits reports whether a rare code has a series of its own, or may have one.
func (m *metrics) admits(code string) bool {
	m.rareMu.Lock()
	defer m.rareMu.Unlock()
	if !m.rare[code] && len(m.rare) < notification.MaxRareCodes {
		m.rare[code] = true
	}
	return m.rare[code]
}
