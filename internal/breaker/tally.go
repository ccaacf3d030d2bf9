package breaker

import (
	"fmt"

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
