package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/periodic"
	"fanfare/internal/queue"
)

// discoverer keeps the roster equal to the set of running campaigns.
type discoverer struct {
	campaigns *campaign.Campaigns
	roster    *roster
	ends      *endLogger
	reap      func(ctx context.Context, q *queue.Queue)
	forward   func(ctx context.Context, campaign keys.List)
	interval  time.Duration
	timeout   time.Duration // limits the clean-up in one tick
	metrics   *metrics
	log       *slog.Logger

	logged map[string]string // what was logged about campaigns that are not served
	broken map[string]error  // errors of campaigns, found by this tick
}

func (r *discoverer) run(ctx context.Context) {
	periodic.RunNow(ctx, r.interval, func(ctx context.Context) {
		if err := r.discover(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("discovery failed; known campaigns continue", "error", err)
		}
	})
}

// discover is one tick. It adds running campaigns, replaces edited ones, and drops those that
// stopped or cannot be sent.
func (r *discoverer) discover(ctx context.Context) error {
	found, err := r.campaigns.Discover(ctx)
	if err != nil {
		return err
	}
	r.broken = make(map[string]error)
	r.logFindings(found)
	r.forget(found)
	periodic.ForEach(ctx, r.timeout, found.Unsettled, r.tidy)
	periodic.ForEach(ctx, r.timeout, found.Cancelled, r.ends.logCancelled)
	served := make(map[string]bool, len(found.Running))
	for _, spec := range found.Running {
		if err := r.serve(ctx, spec); err != nil {
			r.refuse(spec.ID, err)
			continue
		}
		served[spec.ID] = true
	}
	r.metrics.campaigns.WithLabelValues("served").Set(float64(len(served)))
	r.metrics.campaigns.WithLabelValues("elsewhere").Set(float64(len(found.Elsewhere)))
	r.metrics.campaigns.WithLabelValues("waiting").Set(float64(len(found.Waiting)))
	r.metrics.setBroken(r.broken)
	for _, s := range r.roster.all() {
		if !served[s.id] {
			r.log.Info("campaign no longer served", "campaign", s.id)
			r.roster.drop(s)
		}
	}
	return nil
}

// logFindings logs once what people have to do.
func (r *discoverer) logFindings(found campaign.Discovery) {
	for _, broken := range found.Broken {
		r.refuse(broken.ID, broken.Err)
	}
	for id, n := range found.Vanished {
		if r.isNews(vanishedOf(id), strconv.FormatInt(n, 10)) {
			r.log.Error("recipients vanished before they were claimed; run fanfare campaign show", "campaign", id, "recipients", n)
		}
	}
	for _, late := range found.Late {
		if !r.logLate(late.ID, late.Err) && r.isNews(late.ID, late.Err.Error()) {
			r.log.Warn("scheduled campaign not started; retrying", "campaign", late.ID, "error", late.Err)
		}
	}
	for _, other := range found.Elsewhere {
		if r.isNews(other.ID, other.Err.Error()) {
			r.log.Warn("campaign belongs to another project and waits", "campaign", other.ID, "reason", other.Err)
		}
	}
	for _, id := range found.Waiting {
		if r.isNews(id, "waiting") {
			r.log.Info("list has no message; run fanfare campaign create", "campaign", id)
		}
	}
}

// logLate logs once why a scheduled campaign has not started. It reports whether that is what the
// error says.
func (r *discoverer) logLate(id string, err error) bool {
	if refused, is := errors.AsType[*campaign.RefusedStartError](err); is {
		switch {
		case refused.Overdue && r.isNews(id, "overdue"):
			r.log.Warn("scheduled campaign not started; its list expired before", "campaign", id, "reason", refused.Reason)
		case !refused.Overdue && r.isNews(id, "refused"): // the reason has figures that change by the minute
			r.log.Warn("scheduled campaign not started; its waves do not fit", "campaign", id, "reason", refused.Reason)
		}
		return true
	}
	_, is := errors.AsType[*campaign.IncompleteStartError](err)
	if is && r.isNews(id, err.Error()) {
		r.log.Warn("scheduled campaign not started; complete its audience", "campaign", id, "error", err)
	}
	return is
}

// forget drops what was logged about campaigns that are gone.
func (r *discoverer) forget(found campaign.Discovery) {
	there := make(map[string]bool)
	for _, id := range found.Waiting {
		there[id] = true
	}
	for _, problem := range slices.Concat(found.Broken, found.Elsewhere, found.Late) {
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

// vanishedOf is the key in logged for vanished recipients of a campaign.
func vanishedOf(id string) string { return "vanished " + id }

// serve adds a campaign to the roster unless it is already there or cannot be served.
func (r *discoverer) serve(ctx context.Context, spec campaign.Spec) error {
	if old := r.roster.get(spec.ID); old != nil && !old.isClosed() && old.hasMessageOf(spec) {
		old.applySpec(spec)
		return nil
	}
	s, err := r.build(ctx, spec)
	if err != nil {
		return fmt.Errorf("campaign %s: %w", spec.ID, err)
	}
	delete(r.logged, spec.ID)
	r.log.Info("campaign served", "campaign", spec.ID)
	r.roster.put(s)
	return nil
}

func (r *discoverer) refuse(id string, err error) {
	r.broken[id] = err
	if r.isNews(id, err.Error()) {
		r.log.Error("campaign is broken and not served; fix its spec", "campaign", id, "error", err)
	}
}

// isNews reports whether this is logged for the first time, and remembers it.
func (r *discoverer) isNews(id, what string) bool {
	if r.logged[id] == what {
		return false
	}
	r.logged[id] = what
	return true
}

func (r *discoverer) build(ctx context.Context, spec campaign.Spec) (*activeCampaign, error) {
	q, err := r.campaigns.QueueOf(spec)
	if err != nil {
		return nil, err
	}
	addresses, err := r.campaigns.AddressesOf(spec.ID)
	if err != nil {
		return nil, err
	}
	return compile(ctx, spec, q, addresses)
}

// tidy cleans up a campaign that does not run but has leases or results of a dead process.
func (r *discoverer) tidy(ctx context.Context, id string) {
	q, err := r.campaigns.Queue(id)
	if err != nil {
		return // not a campaign's id; discovery returns none
	}
	r.reap(ctx, q)
	r.forward(ctx, q.List())
}
