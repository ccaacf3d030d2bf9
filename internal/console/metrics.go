package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/operator"
	"fanfare/internal/periodic"
)

// Metrics are the figures of the whole system, as every page shows them. One console exports them
// for all replicas of the daemons, so they need no aggregation. The series of a campaign end with
// it.
type Metrics struct {
	ctx    context.Context //nolint:containedctx // of the reads that a scrape causes; a collector gets none
	latest func() *Snapshot
	show   func(ctx context.Context, id string) (operator.View, error)
	now    func() time.Time
	descs  descs
}

// maxCampaignSeries bounds the campaigns with series of their own: those with the most open
// recipients.
const maxCampaignSeries = 100

// staleAfter is the age from which figures are left out rather than exported as if they were new.
const staleAfter = 30 * time.Second

// Metrics returns the collector of the console's figures. It reads what the pages read, and the
// canaries of the running campaigns. The reads end with ctx.
func (c *Console) Metrics(ctx context.Context) *Metrics {
	return &Metrics{ctx: ctx, latest: c.sampler.peek, show: c.deps.System.Show, now: c.now, descs: newDescs()}
}

// descs describe the metrics. Those of a campaign have its id as a label.
type descs struct {
	age, campaigns, omitted, results, letters, replicas                        *prometheus.Desc
	waiting, inFlight, retrying, rate, eta, sinceStart, held, deadline, canary *prometheus.Desc
}

func newDescs() descs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("fanfare_"+name, help, labels, nil)
	}
	return descs{
		age:        desc("snapshot_age_seconds", "Age of the figures of this console. Without newer ones than 30 s, the others are left out."),
		campaigns:  desc("campaigns", "Campaigns in Redis, by state.", "state"),
		omitted:    desc("campaigns_omitted", "Running campaigns without series of their own, because there are too many."),
		results:    desc("results_waiting", "Results that are not yet in SQL."),
		replicas:   desc("replicas", "Running processes by role: dispatchers and responders.", "role"),
		letters:    desc("dead_letters", "Dead letters of the whole system."),
		waiting:    desc("campaign_waiting", "Recipients of a running campaign that wait for their first push.", "campaign"),
		inFlight:   desc("campaign_in_flight", "Recipients of a running campaign that a dispatcher holds.", "campaign"),
		retrying:   desc("campaign_retrying", "Recipients of a running campaign that wait for another try.", "campaign"),
		rate:       desc("campaign_rate", "Recipients of a running campaign that ended, a second, over all replicas.", "campaign"),
		eta:        desc("campaign_eta_seconds", "Estimated time to the end of a running campaign, at its slowest pace of the last minute.", "campaign"),
		sinceStart: desc("campaign_since_start_seconds", "Time since the start of a running campaign, while recipients wait for their first push.", "campaign"),
		held:       desc("campaign_held", "1 for each reason why nothing of a campaign moves, by kind of reason.", "campaign", "reason"),
		canary:     desc("campaign_canary", "1 while a running campaign sends its canary alone, 0 once it has passed.", "campaign"),
		deadline:   desc("campaign_deadline_seconds", "Time until the open recipients of a running campaign expire.", "campaign"),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	d := m.descs
	for _, each := range []*prometheus.Desc{
		d.age, d.campaigns, d.omitted, d.results, d.letters, d.replicas, d.waiting, d.inFlight, d.retrying, d.rate, d.eta, d.sinceStart, d.held, d.deadline, d.canary,
	} {
		ch <- each
	}
}

// export writes the value of a metric.
type export func(desc *prometheus.Desc, value float64, labels ...string)

// labelOf is a campaign's id as a label, which has to be UTF-8.
func labelOf(c *Campaign) string { return strings.ToValidUTF8(c.Spec.ID, "�") }

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	s := m.latest()
	if s == nil || s.GoodAt.IsZero() {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	age := m.now().Sub(s.GoodAt)
	gauge(m.descs.age, age.Seconds())
	if age > staleAfter {
		return
	}
	gauge(m.descs.results, float64(s.Backlog.Results))
	gauge(m.descs.letters, float64(s.Backlog.DeadLetters))
	replicas := map[fleet.Role]int{fleet.Dispatcher: 0, fleet.Responder: 0}
	for _, each := range s.Fleet {
		replicas[each.Role]++
	}
	for role, n := range replicas {
		gauge(m.descs.replicas, float64(n), string(role))
	}
	states := make(map[campaign.State]int)
	var running []*Campaign
	for i := range s.Campaigns {
		each := &s.Campaigns[i]
		states[each.State()]++
		if each.State() == campaign.Running {
			running = append(running, each)
		}
	}
	for state, n := range states {
		gauge(m.descs.campaigns, float64(n), cmp.Or(string(state), "no_message"))
	}
	slices.SortStableFunc(running, func(a, b *Campaign) int { return cmp.Compare(b.Books.CountOpen(), a.Books.CountOpen()) })
	shown := running[:min(len(running), maxCampaignSeries)]
	gauge(m.descs.omitted, float64(len(running)-len(shown)))
	for _, each := range shown {
		m.collectCampaign(gauge, each, s.GoodAt)
	}
	m.collectCanaries(gauge, shown)
}

// canaryTimeout bounds what a scrape may wait for the canaries.
const canaryTimeout = 3 * time.Second

// collectCanaries reads the canaries of running campaigns. Those that Redis does not give in time
// are left out.
func (m *Metrics) collectCanaries(gauge export, shown []*Campaign) {
	periodic.ForEach(m.ctx, canaryTimeout, shown, func(ctx context.Context, each *Campaign) {
		view, err := m.show(ctx, each.Spec.ID)
		if err != nil || !view.Breaker.Known {
			return
		}
		running := 1.0
		if view.Breaker.Canary.Passed {
			running = 0
		}
		gauge(m.descs.canary, running, labelOf(each))
	})
}

// collectCampaign exports a running campaign. Figures that are not known are left out.
func (m *Metrics) collectCampaign(gauge export, each *Campaign, at time.Time) {
	id, b := labelOf(each), each.Books
	gauge(m.descs.waiting, float64(b.Waiting), id)
	gauge(m.descs.inFlight, float64(b.InFlight), id)
	gauge(m.descs.retrying, float64(b.Retrying), id)
	gauge(m.descs.rate, each.Speed.Now(), id)
	if _, slowest, known := each.Speed.Band(b.CountOpen()); known {
		gauge(m.descs.eta, slowest.Seconds(), id)
	}
	if b.Waiting > 0 && !each.Spec.StartedAt.IsZero() {
		gauge(m.descs.sinceStart, at.Sub(each.Spec.StartedAt).Seconds(), id)
	}
	if deadline := each.Deadline(); !deadline.IsZero() && b.CountOpen() > 0 {
		gauge(m.descs.deadline, deadline.Sub(at).Seconds(), id)
	}
	kinds := make(map[string]bool)
	for _, reason := range each.Reasons {
		if kind := string(reason.Kind); reason.Stops && !kinds[kind] {
			kinds[kind] = true
			gauge(m.descs.held, 1, id, kind)
		}
	}
}

// Ready reports whether the console's figures are fresh.
func (c *Console) Ready(context.Context) error {
	s := c.sampler.peek()
	switch {
	case s == nil:
		return errors.New("no figures yet")
	case s.Err != nil:
		return fmt.Errorf("read the system: %w", s.Err)
	case c.now().Sub(s.At) > staleAfter:
		return fmt.Errorf("figures are %s old", c.now().Sub(s.At).Round(time.Second))
	}
	return nil
}
