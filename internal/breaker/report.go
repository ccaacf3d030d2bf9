package breaker

import (
	"context"
	"fmt"
	"sync"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
)

// Tally is what became of some pushes of one campaign: of those that were admitted in one round, and got messages of one sort.
type Report struct {
	// Round is that of the Admission.
	Round int64
	// Personal says that each recipient gets a message of their own.
	Personal bool
	// Answers that came.
	Answers map[Answer]int64
	// Said is what FCM said last with answers of a kind, for the reason of a trip: one line without secrets.
	Said map[Kind]string
	// Silence is set by a replica that has stopped sending because its pushes get no answers.
	Outage Outage
	// Ended counts, by claim id, admissions that are over: answered, ended without a push, or never used.
	// Once a canary has passed, nobody needs to be told.
	Ended map[string]int64
}

// Silence is a number of pushes of one replica of which hardly any got an answer.
type Outage struct {
	Kind  Kind  // Unanswered or WrongEndpoint
	Count int64 // pushes without an answer; 0: there is no silence
	Of    int64 // pushes, Count included
}

// Answered counts answers. They end no admission: a recipient may be sent to at another token yet.
func (t *Report) Add(a Answer, n int64) {
	if t.Answers == nil {
		t.Answers = make(map[Answer]int64)
	}
	t.Answers[a] += n
}

// Says notes what FCM said with an answer of a kind.
func (t *Report) AddDetail(kind Kind, text string) {
	if t.Said == nil {
		t.Said = make(map[Kind]string)
	}
	t.Said[kind] = text
}

// End counts admissions that end, be it without a push, as those of recipients who have no token.
func (t *Report) EndClaim(claim string, n int64) {
	if t.Ended == nil {
		t.Ended = make(map[string]int64)
	}
	t.Ended[claim] += n
}

func (t *Report) validate() error {
	for a, n := range t.Answers {
		switch {
		case !a.Kind.valid():
			return fmt.Errorf("there is no kind of answer %q", a.Kind)
		case n < 0:
			return fmt.Errorf("%d answers of kind %s", n, a.Kind)
		}
	}
	if s := t.Outage; s.Count < 0 || s.Count > s.Of || s.Count > 0 && !s.Kind.noAnswer() {
		return fmt.Errorf("a silence of %d of %d pushes of kind %q", s.Count, s.Of, s.Kind)
	}
	for claim, n := range t.Ended {
		if n < 0 {
			return fmt.Errorf("%d admissions of claim %s end", n, claim)
		}
	}
	return nil
}

// merge adds another tally. What belongs to an older round than the other one counts nowhere any more.
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

// ledger is what a replica has to tell of one campaign. Its tallies are numbered, so that one whose reply was lost is
// told again under its number and counts once.
type carried struct {
	mu      sync.Mutex
	number  int64   // of the last tally that was sent
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
