package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/campaign"
)

// discoverer keeps the roster in step with the campaigns that run.
type discoverer struct {
	d    *Dispatcher
	told map[string]string // what has been logged already of campaigns that are not served
}

func (r *discoverer) run(ctx context.Context) error {
	tick := time.NewTicker(r.d.opts.Discover)
	defer tick.Stop()
	for {
		err := r.discover(ctx)
		if unusable, ok := errors.AsType[*unusableError](err); ok {
			return unusable
		}
		if err != nil && ctx.Err() == nil {
			r.d.log.Warn("look for campaigns: those already known go on", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// unusableError ends a Job: its one campaign cannot be served until somebody mends its spec.
type unusableError struct{ err error }

func (e *unusableError) Error() string { return e.err.Error() }
func (e *unusableError) Unwrap() error { return e.err }

// discover is one tick: it adds what runs, renews what was edited, drops what runs no more.
func (r *discoverer) discover(ctx context.Context) error {
	running, err := r.running(ctx)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(running))
	for _, spec := range running {
		seen[spec.ID] = true
		if err := r.serve(spec); err != nil {
			return err
		}
	}
	for _, s := range r.d.roster.all() {
		if !seen[s.id] {
			r.d.log.Info("campaign no longer runs", "campaign", s.id)
			r.d.roster.drop(s)
		}
	}
	return nil
}

// running lists what is to be served. What is found beside it is told to people, or put in order.
func (r *discoverer) running(ctx context.Context) ([]campaign.Spec, error) {
	if id := r.d.opts.Campaign; id != "" {
		spec, err := r.d.deps.Campaigns.Adopt(ctx, id)
		if err != nil || spec.State != campaign.Running {
			return nil, err
		}
		return []campaign.Spec{spec}, nil
	}
	found, err := r.d.deps.Campaigns.Discover(ctx)
	if err != nil {
		return nil, err
	}
	for _, broken := range found.Broken {
		r.refuse(broken.ID, broken.Err)
	}
	for _, id := range found.Waiting {
		if r.news(id, "waiting") {
			r.d.log.Info("list waits for a message: fanfare campaign create", "campaign", id)
		}
	}
	for _, id := range found.Unsettled {
		r.d.tidy(ctx, id)
	}
	return found.Running, nil
}

// serve puts a campaign on the roster unless it is there already, or cannot be served. A Job has no other to serve.
func (r *discoverer) serve(spec campaign.Spec) error {
	if old := r.d.roster.get(spec.ID); old != nil && old.same(spec) {
		return nil
	}
	s, err := r.build(spec)
	switch {
	case err != nil && r.d.opts.Campaign != "":
		return &unusableError{fmt.Errorf("campaign %s: %w", spec.ID, err)}
	case err != nil:
		r.refuse(spec.ID, err)
		return nil
	}
	delete(r.told, spec.ID)
	r.d.log.Info("campaign is served", "campaign", spec.ID)
	r.d.roster.put(s)
	return nil
}

func (r *discoverer) refuse(id string, err error) {
	if r.news(id, err.Error()) {
		r.d.log.Error("campaign cannot be served: mend its spec; the others go on", "campaign", id, "error", err)
	}
}

// news tells whether something is said of a campaign for the first time.
func (r *discoverer) news(id, what string) bool {
	if r.told[id] == what {
		return false
	}
	r.told[id] = what
	return true
}

func (r *discoverer) build(spec campaign.Spec) (*served, error) {
	list, err := r.d.deps.Names.Campaign(spec.ID)
	if err != nil {
		return nil, err
	}
	q, err := r.d.deps.Campaigns.Queue(spec.ID)
	if err != nil {
		return nil, err
	}
	return compile(spec, q, list)
}
