package breaker

import (
	"context"
	"sync"

	"fanfare/internal/keys"
)

// ledger is what a replica has to tell of one campaign. Its tallies are numbered, so that one whose reply was lost is
// told again under its number and counts once.
type carried struct {
	mu      sync.Mutex
	number  int64  // of the last tally that was sent
	pending *Report // was sent, and may have arrived or not
	next    Report
}

// Conclude tells what became of pushes, in groups, and returns what the campaign's breaker says now. An error means that
// the tally may not have been counted yet: it is kept, counts once, and goes along with the next Conclude, so the
// caller does not repeat it. One who has nothing to tell gets a verdict for an empty Tally.
func (b *Breakers) Apply(ctx context.Context, campaign keys.List, t Report) (Decision, error) {
	if err := t.validate(); err != nil {
		return Decision{}, wrap("conclude", campaign, err)
	}
	s := b.of(campaign)
	l := &s.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next.merge(t)
	if l.pending != nil {
		if v, err := b.tell(ctx, campaign, s); err != nil || v.Trip != nil {
			return v, wrap("conclude", campaign, err)
		}
	}
	last := l.next
	l.number++
	l.pending, l.next = &last, Report{}
	v, err := b.tell(ctx, campaign, s)
	return v, wrap("conclude", campaign, err)
}

// tell sends the pending tally, and forgets it once it is known to have arrived. The caller holds the ledger.
func (b *Breakers) tell(ctx context.Context, campaign keys.List, s *standpoint) (Decision, error) {
	called, l := b.now(), &s.ledger
	told := *l.pending
	if round, _, _, passed := s.trusted(called); passed && round == told.Round {
		told.Ended = nil
	}
	p, _, err := b.run(ctx, concludeScript, campaign, told.args(b.replica, l.number)...)
	if err != nil {
		return Decision{}, err
	}
	l.pending = nil
	p, trip, err := b.resolve(ctx, campaign, p, &told)
	if err != nil {
		return Decision{}, err
	}
	s.learn(p, called)
	return verdict(p, told.Round, trip), nil
}

// args lays out ARGV as conclude.lua describes it.
func (t *Report) args(replica string, number int64) []any {
	personal := "0"
	if t.Personal {
		personal = yes
	}
	args := make([]any, 0, 8+2*len(t.Ended)+3*len(t.Answers))
	args = append(args, replica, number, t.Round, personal, string(Neutral), string(ThirdPartyAuth), keep.Milliseconds(), len(t.Ended))
	for claim, n := range t.Ended {
		args = append(args, claim, n)
	}
	for a, n := range t.Answers {
		args = append(args, string(a.Kind), a.Platform, n)
	}
	return args
}
