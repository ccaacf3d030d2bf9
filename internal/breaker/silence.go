package breaker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// Hold says why a campaign sends to no one for now. The campaign stays running. An answered probe
// ends the hold.
type Hold struct {
	Kind   Kind      `json:"kind"`
	Since  time.Time `json:"since"`  // the server's clock
	Tries  int       `json:"tries"`  // holds in a row, each soon after the last one
	Next   time.Time `json:"next"`   // a probe before this moment ends nothing
	Reason string    `json:"reason"` // for the operator
}

// The two sorts of pushes in snapshot.recent, as lua/conclude.lua names them.
const answered, unanswered = "answered", "unanswered"

// alone is how long other replicas must be without answers before one that stopped speaks for all.
const alone = 2 * time.Second

// trialPushes go after a probe, and one of them must be answered before the rest of the canary
// follows: FCM may validate messages while it delivers none.
const trialPushes = 5

// trial is the size of a trial.
func (o Options) trial() int { return min(o.Canary, trialPushes) }

// canarySize is how many pushes may go before the round is judged.
func (o Options) canarySize(p *snapshot) int64 {
	if p.probed && p.proofs == 0 {
		return int64(o.trial())
	}
	return int64(o.Canary)
}

// judgeSilence holds a campaign whose pushes get no answers. Either one replica has stopped and no
// other has answers, or a full canary or the last seconds have too few.
func (o Options) judgeSilence(p *snapshot, outage Outage) *Trip {
	t := &Trip{Scope: Campaign, Kind: Unanswered, At: p.now}
	limit, size := o.Unanswered, o.canarySize(p)
	switch {
	case limit.Least == 0:
		return nil
	case outage.Count > 0 && p.now.UnixMilli()-p.others >= alone.Milliseconds():
		t.Kind, t.Count, t.Of = outage.Kind, outage.Count, outage.Of
		t.Reason = t.explainSilence("in a row", p.said[t.Kind])
	case !p.passed && size > 0 && p.proofs+p.spent >= size && float64(p.spent) >= limit.Share*float64(p.proofs+p.spent):
		t.Count, t.Of = p.spent, p.proofs+p.spent
		t.Kind = p.silenceKind(p.proofs)
		t.Reason = t.explainSilence("of the canary", p.said[t.Kind])
	case limit.isReached(p.recent[unanswered], p.recent[unanswered]+p.recent[answered]):
		t.Count, t.Of = p.recent[unanswered], p.recent[unanswered]+p.recent[answered]
		t.Kind = p.silenceKind(p.recent[answered])
		t.Reason = t.explainSilence("of the last seconds", p.said[t.Kind])
	default:
		return nil
	}
	if t.Kind == WrongEndpoint {
		t.Scope = Project
	}
	return t
}

// silenceKind returns WrongEndpoint if FCM gave no answer and most pushes got a success of another
// service.
func (p *snapshot) silenceKind(answers int64) Kind {
	var wrong, all int64
	for a, n := range p.answers() {
		if a.Kind.isUnanswered() {
			all += n
		}
		if a.Kind == WrongEndpoint {
			wrong += n
		}
	}
	if answers == 0 && 2*wrong > all {
		return WrongEndpoint
	}
	return Unanswered
}

// explainSilence returns the sentence for the operator.
func (t *Trip) explainSilence(which, said string) string {
	const resumes = "sending continues by itself once FCM answers a probe"
	if t.Kind == WrongEndpoint {
		return fmt.Sprintf("%d of %d pushes %s got a success that is not FCM's%s; check fcm.endpoint and any proxy before it: %s",
			t.Count, t.Of, which, quote(said), resumes)
	}
	return fmt.Sprintf("%d of %d pushes %s got no answer from FCM%s; check FCM's status and the network: %s",
		t.Count, t.Of, which, quote(said), resumes)
}

// hold stops the admissions of a campaign. If the project must be halted too, the winner does it.
func (b *Breakers) hold(ctx context.Context, campaign keys.List, p *snapshot, t *Trip, id string, written []byte) (*snapshot, string, error) {
	toAct := ""
	if t.Scope == Project {
		toAct = strconv.FormatInt(actTimeout.Milliseconds(), 10)
	}
	return b.run(ctx, holdScript, campaign, p.round, id, written, string(t.Kind), t.Reason,
		toAct, canaryDelay.Milliseconds(), breakerTTL.Milliseconds(), b.o.Probe.Milliseconds(), b.o.LongestProbe.Milliseconds())
}

// Release ends a campaign's hold after an answered probe, and a canary follows. It reports whether
// it did. A hold soon after the last one waits longer. A missing hold is no error.
func (b *Breakers) Release(ctx context.Context, campaign keys.List) (released bool, err error) {
	_, outcome, err := b.run(ctx, releaseScript, campaign, breakerTTL.Milliseconds())
	return outcome == "released", wrap("release", campaign, err)
}

// readHold reads the field that lua/hold.lua writes.
func readHold(value string) (*Hold, error) {
	parts := strings.SplitN(value, " ", 6)
	if len(parts) != 6 {
		return nil, redisx.ErrReply
	}
	var numbers [3]int64
	for i := range numbers {
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil {
			return nil, err
		}
		numbers[i] = n
	}
	return &Hold{
		Kind: Kind(parts[4]), Since: bounds.Milli(numbers[0]), Tries: bounds.Count(int(numbers[1])),
		Next: bounds.Milli(numbers[2]), Reason: parts[5],
	}, nil
}
