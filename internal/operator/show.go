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
	"fanfare/internal/traffic"
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
	case missing && books.CountOpen() == 0 && books.Missing == 0:
		return View{}, err
	case missing:
		return View{Spec: campaign.Spec{ID: id}, Books: books}, nil
	}
	list, listErr := o.deps.Names.Campaign(id)
	if listErr != nil {
		return View{}, listErr
	}
	view := newView(spec, books, err)
	if view.Due, err = o.readDue(ctx, view); err != nil {
		return View{}, err
	}
	readings, err := o.deps.Breakers.States(ctx, []keys.List{list})
	if err != nil {
		return View{}, err
	}
	view.Breaker, view.Err = readings[0].State, cmp.Or(view.Err, readings[0].Err)
	one := []View{view}
	o.readKeptBack(ctx, one)
	view.KeptBack = one[0].KeptBack
	view.Hold = findOutageHold(spec.State, view.Breaker.Hold)
	if view.Hold == nil && spec.State == campaign.Running {
		known, err := o.findKnownProjects(ctx)
		if err != nil {
			return View{}, err
		}
		view.Hold = findProjectHold(spec, known, o.now())
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
	return o.ListAgain(ctx, &ListMemory{})
}

// ListMemory is what one listing learns for the next. It is for one caller at a time.
type ListMemory struct {
	campaigns campaign.ListMemory
	checked   map[string]checkedMessage // by campaign id
}

// checkedMessage is a message and why it cannot be sent; nil if it can.
type checkedMessage struct {
	message string
	problem error
}

// check checks a campaign's message, unless it is the one of the last listing.
func (m *ListMemory) check(s campaign.Spec, before map[string]checkedMessage) error {
	known, ok := before[s.ID]
	if !ok || known.message != string(s.Message) || s.State.HasEnded() {
		known = checkedMessage{string(s.Message), CheckSendable(s)}
	}
	m.checked[s.ID] = known
	return known.problem
}

// ListAgain is List for callers that list every second: books of ended campaigns are up to ten
// seconds old, and only new messages are checked.
func (o *Operator) ListAgain(ctx context.Context, memory *ListMemory) ([]View, error) {
	campaigns, err := o.deps.Campaigns.ListAgain(ctx, &memory.campaigns)
	if err != nil {
		return nil, err
	}
	known, err := o.deps.Campaigns.ProjectsOf(ctx, campaigns)
	if err != nil {
		return nil, err
	}
	holds, err := o.readOutageHolds(ctx, campaigns)
	if err != nil {
		return nil, err
	}
	before := memory.checked
	memory.checked = make(map[string]checkedMessage, len(campaigns))
	views := make([]View, len(campaigns))
	for i, c := range campaigns {
		held := holds[c.Spec.ID]
		views[i] = View{Spec: c.Spec, Books: c.Books, Err: cmp.Or(c.Err, held.err), Hold: cmp.Or(held.hold, findProjectHold(c.Spec, known, o.now()))}
		if len(held.platforms) > 0 {
			views[i].Breaker.Paused = held.platforms
		}
		if views[i].Err == nil && c.Spec.State != "" {
			views[i].Err = memory.check(c.Spec, before)
		}
		views[i].Spec.Message = nil // it is long; Show includes it
	}
	o.readKeptBack(ctx, views)
	return views, nil
}

// outageHold is why a breaker holds a campaign or platforms of it, or why that cannot be read.
type outageHold struct {
	hold      *Hold
	platforms map[string]string // each with its reason
	err       error
}

// readOutageHolds asks the breakers of all running campaigns in one go which of them they hold.
func (o *Operator) readOutageHolds(ctx context.Context, all []campaign.Summary) (map[string]outageHold, error) {
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
	readings, err := o.deps.Breakers.States(ctx, lists)
	if err != nil {
		return nil, err
	}
	holds := make(map[string]outageHold, len(readings))
	for i, r := range readings {
		holds[ids[i]] = outageHold{findOutageHold(campaign.Running, r.State.Hold), r.State.Paused, r.Err}
	}
	return holds, nil
}

// Watch reads a campaign's progress at once and then every interval, until it has ended or seen
// returns false. paces may be nil; see Explain.
func (o *Operator) Watch(ctx context.Context, id string, every time.Duration, paces FindPace, seen func(Progress) bool) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var rate Pace
	for {
		view, err := o.Show(ctx, id)
		if err != nil {
			return err
		}
		o.Explain(ctx, &view, paces)
		if !seen(rate.Observe(o.now(), view)) || view.Spec.State.HasEnded() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// RecentTraffic returns how a campaign's pushes went in the last half hour, by ten seconds.
func (o *Operator) RecentTraffic(ctx context.Context, id string) (traffic.Series, error) {
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return traffic.Series{}, err
	}
	all, err := o.deps.Traffic.Recent(ctx, []keys.List{list}, traffic.FineSlots)
	if err != nil {
		return traffic.Series{}, err
	}
	return all[0], nil
}

// Traffic returns how a campaign's pushes went over time, in at most limit slots.
func (o *Operator) Traffic(ctx context.Context, id string, limit int) (traffic.Series, error) {
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return traffic.Series{}, err
	}
	return o.deps.Traffic.Read(ctx, list, limit)
}
