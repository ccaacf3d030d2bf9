package breaker

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// State is a campaign's breaker as its operator sees it.
type State struct {
	// Known is false where the campaign has not begun, or ended long ago; all else is zero then.
	Known  bool   `json:"-"`
	Canary Canary `json:"canary"`
	// Shares are of the answers that the breaker evaluates now: those of the canary, then those
	// of the last minute. Largest first, Neutral last.
	Shares []Share `json:"shares,omitempty"`
	// Hold is why no one is sent to until a probe is answered.
	Hold *Hold `json:"hold,omitempty"`
	// Paused platforms, with the reasons.
	Paused map[string]string `json:"paused,omitempty"`
	// Last is the last trip. Standing: no one has acted on it yet.
	Last     *Trip `json:"last,omitempty"`
	Standing bool  `json:"standing,omitempty"`
}

// Canary is the progress of the first pushes.
type Canary struct {
	Size        int   `json:"size"`
	Answered    int64 `json:"answered"`    // with something that proves something; Size once it has passed
	Unanswered  int64 `json:"unanswered"`  // pushes that got no answer, and keep their places
	Outstanding int64 `json:"outstanding"` // admitted and not answered
	Passed      bool  `json:"passed"`
}

// Share is one kind of answer among all.
type Share struct {
	Kind  Kind      `json:"kind"`
	Count int64     `json:"count"`
	Of    int64     `json:"of"`             // answers that prove something; the Neutral ones are no part of it
	Limit Threshold `json:"limit,omitzero"` // the zero Threshold never trips
}

// State reads a campaign's breaker and changes nothing.
func (b *Breakers) State(ctx context.Context, campaign keys.List) (State, error) {
	p, _, err := b.run(ctx, lookScript, campaign)
	if err != nil {
		return State{}, wrap("look at breaker of", campaign, err)
	}
	return b.stateOf(p), nil
}

// Reading is a breaker's state, or the *redisx.TypeError of a key of another type.
type Reading struct {
	State State
	Err   error
}

// States reads the breakers of many campaigns in few round trips, in their order, and changes
// nothing. A key of another type spoils the reading of its own campaign alone.
func (b *Breakers) States(ctx context.Context, campaigns []keys.List) ([]Reading, error) {
	calls := make([]redisx.Call, len(campaigns))
	for i, campaign := range campaigns {
		calls[i].Keys = []string{campaign.Key(keys.SuffixBreaker)}
	}
	readings := make([]Reading, len(campaigns))
	for i, reply := range redisx.RunEach(ctx, b.rdb, lookScript, calls) {
		p, _, err := read(calls[i].Keys[0], reply)
		err = wrap("look at breaker of", campaigns[i], err)
		if _, wrong := errors.AsType[*redisx.TypeError](err); err != nil && !wrong {
			return nil, err
		}
		if readings[i].Err = err; err == nil {
			readings[i].State = b.stateOf(p)
		}
	}
	return readings, nil
}

func (b *Breakers) stateOf(p *snapshot) State {
	if p.round == 0 {
		return State{}
	}
	c := Canary{Size: b.o.Canary, Answered: p.proofs, Unanswered: p.spent, Outstanding: p.outstanding, Passed: p.passed}
	if c.Passed {
		c.Answered = int64(c.Size)
	}
	return State{
		Known: true, Canary: c, Shares: b.o.shares(p), Hold: p.hold, Paused: p.paused, Last: p.last, Standing: p.isStanding(),
	}
}

func (o Options) shares(p *snapshot) []Share {
	s := sumAnswers(p.answers())
	var all []Share
	for kind, n := range s.kinds {
		limit, _ := o.threshold(kind, p)
		all = append(all, Share{Kind: kind, Count: n, Of: s.all, Limit: limit})
	}
	slices.SortFunc(all, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	if n := p.recent[unanswered]; n > 0 {
		all = append(all, Share{Kind: Unanswered, Count: n, Of: n + p.recent[answered], Limit: o.Unanswered})
	}
	var neutral int64
	for a, n := range p.window {
		if a.Kind == Neutral {
			neutral += n
		}
	}
	if neutral > 0 {
		all = append(all, Share{Kind: Neutral, Count: neutral, Of: s.all})
	}
	return all
}
