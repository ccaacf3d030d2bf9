package dispatcher

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"fanfare/internal/campaign"
)

// discoverer keeps the roster in step with the campaigns that run.
type discoverer struct {
	d    *Dispatcher
	logged map[string]string // what has been logged already of campaigns that are not served

	broken map[string]error // what this look found in the way of campaigns
}

func (r *discoverer) run(ctx context.Context) {
	tick := time.NewTicker(r.d.opts.Discover)
	defer tick.Stop()
	for {
		if err := r.discover(ctx); err != nil && ctx.Err() == nil {
			r.d.log.Warn("look for campaigns: those already known go on", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// discover is one tick: it adds what runs, renews what was edited, drops what runs no more or was edited into what
// cannot be sent.
func (r *discoverer) discover(ctx context.Context) error {
	found, err := r.d.deps.Campaigns.Discover(ctx)
	if err != nil {
		return err
	}
	r.broken = make(map[string]error)
	r.logFindings(found)
	r.forget(found)
	forEach(ctx, r.d.opts.redisTimeout(), found.Unsettled, r.d.tidy)
	served := make(map[string]bool, len(found.Running))
	for _, spec := range found.Running {
		if err := r.serve(ctx, spec); err != nil {
			r.refuse(spec.ID, err)
			continue
		}
		served[spec.ID] = true
	}
	r.d.metrics.campaigns.WithLabelValues("served").Set(float64(len(served)))
	r.d.metrics.campaigns.WithLabelValues("elsewhere").Set(float64(len(found.Elsewhere)))
	r.d.metrics.campaigns.WithLabelValues("waiting").Set(float64(len(found.Waiting)))
	r.d.metrics.setBroken(r.broken)
	for _, s := range r.d.roster.all() {
		if !served[s.id] {
			r.d.log.Info("campaign is served no more", "campaign", s.id)
			r.d.roster.drop(s)
		}
	}
	return nil
}

// tell says once what people have to do.
func (r *discoverer) logFindings(found campaign.Discovery) {
	for _, broken := range found.Broken {
		r.refuse(broken.ID, broken.Err)
	}
	for id, n := range found.Vanished {
		if r.isNews(vanishedOf(id), strconv.FormatInt(n, 10)) {
			r.d.log.Error("recipients vanished from a list before they were claimed; fanfare campaign show says what to do", "campaign", id, "recipients", n)
		}
	}
	for _, other := range found.Elsewhere {
		if r.isNews(other.ID, other.Err.Error()) {
			r.d.log.Warn("campaign is not this project's and waits here", "campaign", other.ID, "reason", other.Err)
		}
	}
	for _, id := range found.Waiting {
		if r.isNews(id, "waiting") {
			r.d.log.Info("list waits for a message: fanfare campaign create", "campaign", id)
		}
	}
}

// forget drops what was said of campaigns that are gone.
func (r *discoverer) forget(found campaign.Discovery) {
	there := make(map[string]bool)
	for _, id := range found.Waiting {
		there[id] = true
	}
	for _, problem := range slices.Concat(found.Broken, found.Elsewhere) {
		there[problem.ID] = true
	}
	for _, spec := range found.Running {
		there[spec.ID] = true
	}
	for id := range found.Vanished {
		there[vanishedOf(id)] = true
	}
	maps.DeleteFunc(r.logged, func(id, _ string) bool { return !there[id] })
}

// vanishedOf keeps what was said of vanished recipients apart from what was said of their campaign.
func vanishedOf(id string) string { return "vanished " + id }

// serve puts a campaign on the roster unless it is there already, or cannot be served.
func (r *discoverer) serve(ctx context.Context, spec campaign.Spec) error {
	if old := r.d.roster.get(spec.ID); old != nil && !old.isClosed() && old.hasMessageOf(spec) {
		old.applySpec(spec)
		return nil
	}
	s, err := r.build(ctx, spec)
	if err != nil {
		return fmt.Errorf("campaign %s: %w", spec.ID, err)
	}
	delete(r.logged, spec.ID)
	r.d.log.Info("campaign is served", "campaign", spec.ID)
	r.d.roster.put(s)
	return nil
}

func (r *discoverer) refuse(id string, err error) {
	r.broken[id] = err
	if r.isNews(id, err.Error()) {
		r.d.log.Error("campaign is broken and not served; the others go on: fix its spec", "campaign", id, "error", err)
	}
}

// news tells whether something is said of a campaign for the first time.
func (r *discoverer) isNews(id, what string) bool {
	if r.logged[id] == what {
		return false
	}
	r.logged[id] = what
	return true
}

func (r *discoverer) build(ctx context.Context, spec campaign.Spec) (*activeCampaign, error) {
	q, err := r.d.deps.Campaigns.QueueOf(spec)
	if err != nil {
		return nil, err
	}
	return compile(ctx, spec, q)
}
