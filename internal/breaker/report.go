package breaker

import (
	"context"
	"fmt"
	"sync"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
)

// Report counts the outcomes of some pushes of one campaign. All were admitted in one round and got
// messages of one sort.
type Report struct {
	// Round is the Admission's.
	Round int64
	// Personal means that each recipient gets a message of their own.
	Personal bool
	// Answers that came.
	Answers map[Answer]int64
	// Said is FCM's last text for a kind, for the reason of a trip: one line without secrets.
	Said map[Kind]string
	// Outage is set by a replica that stopped sending because its pushes get no answers.
	Outage Outage
	// Ended counts ended admissions by claim id: answered, ended without a push, or never used. It
	// is not needed once the canary has passed.
	Ended map[string]int64
}

// Outage is a number of pushes of one replica of which hardly any got an answer.
type Outage struct {
	Kind  Kind  // Unanswered or WrongEndpoint
	Count int64 // pushes without an answer; 0: there is no silence
	Of    int64 // pushes, Count included
}

// Add counts answers. They end no admission, since the recipient may be sent to at another token.
func (t *Report) Add(a Answer, n int64) {
	if t.Answers == nil {
		t.Answers = make(map[Answer]int64)
	}
	t.Answers[a] += n
}

// AddDetail records FCM's text for a kind. The breaker keeps the last one, for whichever replica
// trips.
func (t *Report) AddDetail(kind Kind, text string) {
	if t.Said == nil {
		t.Said = make(map[Kind]string)
	}
	t.Said[kind] = text
}

// EndClaim counts admissions that end, with or without a push.
func (t *Report) EndClaim(claim string, n int64) {
	if t.Ended == nil {
		t.Ended = make(map[string]int64)
	}
	t.Ended[claim] += n
}

func (t *Report) validate() error {
	for a, n := range t.Answers {
		switch {
		case !a.Kind.isValid():
			return fmt.Errorf("there is no kind of answer %q", a.Kind)
		case n < 0:
			return fmt.Errorf("%d answers of kind %s", n, a.Kind)
		}
	}
	if s := t.Outage; s.Count < 0 || s.Count > s.Of || s.Count > 0 && !s.Kind.isUnanswered() {
		return fmt.Errorf("a silence of %d of %d pushes of kind %q", s.Count, s.Of, s.Kind)
	}
	for claim, n := range t.Ended {
		if n < 0 {
			return fmt.Errorf("%d admissions of claim %s end", n, claim)
		}
	}
	return nil
}

// merge adds another report. A report of an older round counts nowhere.
func (t *Report) merge(other Report) {
	switch {
	case other.Round < t.Round:
		return
	case other.Round > t.Round:
		*t = Report{Round: other.Round}
	}
	t.Personal, t.Outage = other.Personal, other.Outage
	for kind, text := range other.Said {
		t.AddDetail(kind, text)
	}
	for a, n := range other.Answers {
		if notification.NormalizePlatform(a.Platform) != a.Platform { // it is a producer's word, and no answer may be lost for it
			a.Platform = ""
		}
		t.Add(a, n)
	}
	for claim, n := range other.Ended {
		t.EndClaim(claim, n)
	}
}

// carried is what a replica has yet to report on one campaign. Its reports are numbered. A repeat
// after a lost reply has the same number and counts once.
type carried struct {
	mu      sync.Mutex
	number  int64   // of the last report that was sent
	pending *Report // was sent, and may have arrived or not
	next    Report
}

// Apply reports outcomes and returns the breaker's decision. After an error the report may not have
// been counted. It is kept, counts once, and goes with the next Apply, so the caller does not
// repeat it. An empty Report only reads the decision.
func (b *Breakers) Apply(ctx context.Context, campaign keys.List, t Report) (Decision, error) {
	if err := t.validate(); err != nil {
		return Decision{}, wrap("conclude", campaign, err)
	}
	s := b.viewOf(campaign)
	l := &s.carried
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next.merge(t)
	if l.pending != nil {
		if v, err := b.sendReport(ctx, campaign, s); err != nil || v.Trip != nil {
			return v, wrap("conclude", campaign, err)
		}
	}
	last := l.next
	l.number++
	l.pending, l.next = &last, Report{}
	v, err := b.sendReport(ctx, campaign, s)
	return v, wrap("conclude", campaign, err)
}

// sendReport sends the pending report and forgets it once it has arrived. The caller holds the
// lock.
func (b *Breakers) sendReport(ctx context.Context, campaign keys.List, s *replicaView) (Decision, error) {
	called, l := b.now(), &s.carried
	told := *l.pending
	if round, _, _, passed := s.readTrusted(called); passed && round == told.Round {
		told.Ended = nil
	}
	p, _, err := b.run(ctx, concludeScript, campaign, told.args(b.replica, l.number)...)
	if err != nil {
		return Decision{}, err
	}
	l.pending = nil
	p, trip, err := b.resolve(ctx, campaign, p, told.Outage)
	if err != nil {
		return Decision{}, err
	}
	s.update(p, called)
	return decide(p, told.Round, trip), nil
}

// args returns ARGV as conclude.lua describes it.
func (t *Report) args(replica string, number int64) []any {
	personal := "0"
	if t.Personal {
		personal = yes
	}
	args := make([]any, 0, 9+2*len(t.Ended)+2*len(t.Said)+3*len(t.Answers))
	args = append(args, replica, number, t.Round, personal, string(Neutral), string(ThirdPartyAuth), breakerTTL.Milliseconds(), len(t.Ended), len(t.Said))
	for claim, n := range t.Ended {
		args = append(args, claim, n)
	}
	for kind, text := range t.Said {
		args = append(args, string(kind), text)
	}
	for a, n := range t.Answers {
		args = append(args, string(a.Kind), a.Platform, n)
	}
	return args
}
