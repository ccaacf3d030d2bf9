package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
)

// View is everything that is displayed of a campaign.
type View struct {
	Spec  campaign.Spec // its State is "" without a spec
	Books campaign.Books
	// Breaker describes FCM's recent answers. It is Known only for a campaign that has begun, and
	// only from Show.
	Breaker breaker.State
	// Undelivered says why results stay in the campaign's outbox: a key of another type blocks
	// them. Only from Show.
	Undelivered error
	// Held says what stops this campaign. A caller that knows the project's pace adds what stops
	// the project: see WhyHeld.
	Held *Held
	Err  error // why the campaign cannot be sent as it is; nil if it can. See Broken
}

// Losses lists recipients that are missing or were not loaded, unless the campaign's reason says
// so already.
func (v View) Losses() []campaign.Loss {
	if v.Spec.State.Ended() && v.Spec.Reason != "" {
		return nil
	}
	return v.Books.Losses(v.Spec.ID, v.Spec.State)
}

// MarshalJSON writes the message as JSON, not as a string.
func (v View) MarshalJSON() ([]byte, error) {
	s, problem, stored := v.Spec, v.Problem(), campaign.State("")
	var faults []string
	if v.Err != nil {
		stored = s.State
		for _, fault := range notification.FaultsOf(v.Err) {
			faults = append(faults, fault.Error())
		}
	}
	message := json.RawMessage(s.Message)
	if !json.Valid(message) {
		message, _ = json.Marshal(string(s.Message)) // an application wrote it; a string always marshals
	}
	if len(s.Message) == 0 {
		message = nil
	}
	return json.Marshal(struct {
		ID          string               `json:"id"`
		Name        string               `json:"name,omitempty"`
		State       campaign.State       `json:"state"`
		Stored      campaign.State       `json:"storedState,omitempty"`
		Reason      string               `json:"reason,omitempty"`
		OnAmbiguous campaign.OnAmbiguous `json:"onAmbiguous,omitempty"`
		Weight      int                  `json:"weight,omitempty"`
		Priority    int                  `json:"priority,omitempty"`
		Rate        float64              `json:"rate,omitempty"`
		Deadline    time.Time            `json:"deadline,omitzero"`
		CreatedAt   time.Time            `json:"createdAt,omitzero"`
		StartedAt   time.Time            `json:"startedAt,omitzero"`
		FinishedAt  time.Time            `json:"finishedAt,omitzero"`
		Project     string               `json:"project,omitempty"`
		Message     json.RawMessage      `json:"message,omitempty"`
		Books       campaign.Books       `json:"books"`
		Ambiguous   Ambiguous            `json:"ambiguous"`
		Breaker     *breaker.State       `json:"breaker,omitempty"`
		Held        *Held                `json:"held,omitempty"`
		Undelivered string               `json:"undelivered,omitempty"`
		Faults      []string             `json:"faults,omitempty"`
		Losses      []campaign.Loss      `json:"losses,omitempty"`
		Error       string               `json:"error,omitempty"`
	}{
		s.ID, s.Name, v.State(), stored, cmp.Or(s.Reason, problem), s.OnAmbiguous, s.Weight, s.Priority, s.Rate, v.Deadline(), s.CreatedAt, s.StartedAt, s.FinishedAt,
		s.Project, message, v.Books, v.Ambiguous(), v.breaker(), v.Held, v.undelivered(), faults,
		v.Books.Losses(s.ID, s.State), problem,
	})
}

// breaker returns nil if nothing is known.
func (v View) breaker() *breaker.State {
	if !v.Breaker.Known {
		return nil
	}
	return &v.Breaker
}

func (v View) undelivered() string {
	if v.Undelivered == nil {
		return ""
	}
	return v.Undelivered.Error()
}

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
	view := View{Spec: spec, Books: books, Err: cmp.Or(err, Sendable(spec))}
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
		view.Undelivered, err = o.inTheWay(ctx, o.deps.Names.ResponsesList().Plain())
	}
	return view, err
}

// guardedBooks guards the list of a campaign and reads its books.
func (o *Operator) guardedBooks(ctx context.Context, spec campaign.Spec, id string) (campaign.Books, error) {
	if !spec.State.Final() {
		if err := o.deps.Campaigns.Guard(ctx, id); err != nil {
			return campaign.Books{}, err
		}
	}
	return o.deps.Campaigns.Books(ctx, id)
}

// inTheWay returns an error if a key that must be a list holds another type.
func (o *Operator) inTheWay(ctx context.Context, key string) (problem, err error) {
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
	held, err := o.silences(ctx, campaigns)
	if err != nil {
		return nil, err
	}
	views := make([]View, len(campaigns))
	for i, c := range campaigns {
		views[i] = View{Spec: c.Spec, Books: c.Books, Err: c.Err, Held: cmp.Or(held[c.Spec.ID], heldByProject(c.Spec, known, o.now()))}
		if views[i].Err == nil && c.Spec.State != "" {
			views[i].Err = Sendable(c.Spec)
		}
		views[i].Spec.Message = nil // it is long; Show includes it
	}
	return views, nil
}

// silences asks the breakers of all running campaigns in one go which of them they hold.
func (o *Operator) silences(ctx context.Context, all []campaign.Summary) (map[string]*Held, error) {
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
		if !seen(pace.Observe(o.now(), view)) || view.Spec.State.Ended() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
