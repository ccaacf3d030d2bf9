package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// Show reads a campaign's spec, books and breaker. A list without a spec is a View without a
// state. It returns campaign.ErrNotFound if there is neither.
func (o *Operator) Show(ctx context.Context, id string) (View, error) {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	missing := errors.Is(err, campaign.ErrNotFound)
	if _, broken := errors.AsType[*campaign.SpecError](err); err != nil && !missing && !broken {
		return View{}, err
	}
	books, booksErr := o.guardedBooks(ctx, spec, id)
	switch {
	case booksErr != nil:
		return View{}, booksErr
	case missing && books.Open() == 0 && books.Missing == 0:
		return View{}, err
	case missing:
		return View{Spec: campaign.Spec{ID: id}, Books: books}, nil
	}
	list, listErr := o.deps.Names.Campaign(id)
	if listErr != nil {
		return View{}, listErr
	}
	view := View{Spec: spec, Books: books, Err: cmp.Or(err, CheckSendable(spec))}
	if view.Breaker, err = o.deps.Breakers.State(ctx, list); err != nil {
		return View{}, err
	}
	view.Held = heldBySilence(spec.State, view.Breaker.Hold)
	if view.Held == nil && spec.State == campaign.Running {
		known, err := o.deps.Campaigns.Projects(ctx)
		if err != nil {
			return View{}, err
		}
		view.Held = heldByProject(spec, known, o.now())
	}
	if books.Outbox > 0 {
		view.Undelivered, err = o.checkListType(ctx, o.deps.Names.ResponsesList().Plain())
	}
	return view, err
}

// guardedBooks guards the list of a campaign and reads its books.
func (o *Operator) guardedBooks(ctx context.Context, spec campaign.Spec, id string) (campaign.Books, error) {
	if !spec.State.IsFinal() {
		if err := o.deps.Campaigns.Guard(ctx, id); err != nil {
			return campaign.Books{}, err
		}
	}
	return o.deps.Campaigns.Books(ctx, id)
}

// checkListType returns an error if a key that must be a list holds another type.
func (o *Operator) checkListType(ctx context.Context, key string) (problem, err error) {
	holds, err := o.deps.Redis.Type(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("ask for the type of %s: %w", key, err)
	}
	if holds == "list" || holds == "none" {
		return nil, nil
	}
	return &redisx.TypeError{Key: key, Holds: holds, Want: "list"}, nil
}

// List returns all campaigns without their messages, the newest first, then lists without a spec.
func (o *Operator) List(ctx context.Context) ([]View, error) {
	campaigns, err := o.deps.Campaigns.List(ctx)
	if err != nil {
		return nil, err
	}
	known, err := o.deps.Campaigns.Projects(ctx)
	if err != nil {
		return nil, err
	}
	held, err := o.readSilences(ctx, campaigns)
	if err != nil {
		return nil, err
	}
	views := make([]View, len(campaigns))
	for i, c := range campaigns {
		views[i] = View{Spec: c.Spec, Books: c.Books, Err: c.Err, Held: cmp.Or(held[c.Spec.ID], heldByProject(c.Spec, known, o.now()))}
		if views[i].Err == nil && c.Spec.State != "" {
			views[i].Err = CheckSendable(c.Spec)
		}
		views[i].Spec.Message = nil // it is long; Show includes it
	}
	return views, nil
}

// readSilences asks the breakers of all running campaigns in one go which of them they hold.
func (o *Operator) readSilences(ctx context.Context, all []campaign.Summary) (map[string]*Held, error) {
	var ids []string
	var lists []keys.List
	for _, c := range all {
		if c.Spec.State != campaign.Running {
			continue
		}
		list, err := o.deps.Names.Campaign(c.Spec.ID)
		if err != nil {
			return nil, err
		}
		ids, lists = append(ids, c.Spec.ID), append(lists, list)
	}
	states, err := o.deps.Breakers.States(ctx, lists)
	if err != nil {
		return nil, err
	}
	held := make(map[string]*Held)
	for i, state := range states {
		held[ids[i]] = heldBySilence(campaign.Running, state.Hold)
	}
	return held, nil
}

// Watch reads a campaign's progress at once and then every interval, until it has ended or seen
// returns false.
func (o *Operator) Watch(ctx context.Context, id string, every time.Duration, seen func(Progress) bool) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var pace Pace
	for {
		view, err := o.Show(ctx, id)
		if err != nil {
			return err
		}
		if !seen(pace.Observe(o.now(), view)) || view.Spec.State.HasEnded() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
