package breaker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/breaker"
)

// Replicas act, lose replies and die. Before the canary has passed, no more than its size is under
// way or answered. A bad canary stops the campaign, and only one replica at a time holds a trip.
func TestLaws(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(rt, server, rdb)
		rt.Repeat(map[string]func(*rapid.T){
			"admit":  m.admitSome,
			"answer": m.answerSome,
			"end":    m.endSome,
			"extend": m.extendSome,
			"crash":  m.crashOne,
			"wait":   m.waitAWhile,
			"act":    m.actOnTrip,
			"resume": m.resume,
		})
	})
}

func (m *model) admitSome(t *rapid.T) {
	a, want := m.someActor(t), rapid.IntRange(1, 30).Draw(t, "want")
	m.made++
	claim := fmt.Sprint("claim", m.made)
	var got breaker.Admission
	a.insist(t, func() (err error) {
		got, err = a.Admit(t.Context(), m.list, claim, want)
		m.recordTrip(got.Decision, a)
		return err
	})
	r := m.of(got.Round)
	whole := r.proofs >= canarySize
	switch {
	case got.N == 0:
		if whole && !got.Tripped && m.bads == 0 {
			t.Fatalf("no one is admitted after a canary of %d", r.proofs)
		}
		return
	case got.Round < m.newest:
		t.Fatalf("%d admitted in round %d after some in round %d", got.N, got.Round, m.newest)
	case whole && got.N != want:
		t.Fatalf("%d of %d admitted after a canary of %d", got.N, want, r.proofs)
	case !whole && m.underWay(got.Round)+got.N+r.proofs > canarySize:
		t.Fatalf("%d admitted to a canary of %d answered and %d under way", got.N, r.proofs, m.underWay(got.Round))
	}
	m.newest = got.Round
	m.claims[claim] = &held{replica: a, round: got.Round, n: got.N, until: m.now + lease}
}

func (m *model) answerSome(t *rapid.T) {
	claim, h := m.someClaim(t)
	if h == nil {
		return
	}
	n := rapid.IntRange(1, h.n).Draw(t, "answers")
	kind := rapid.SampledFrom([]breaker.Kind{
		breaker.Accepted, breaker.Accepted, breaker.Accepted, breaker.Neutral, breaker.BadMessage,
	}).Draw(t, "kind")
	report := breaker.Report{Round: h.round}
	for range n {
		report.Add(breaker.Answer{Kind: kind}, 1)
		report.EndClaim(claim, 1)
	}
	inCanary := m.of(h.round).proofs < canarySize
	m.count(h, kind, n)
	v := m.tell(t, h.replica, report)
	if inCanary && m.of(h.round).bad >= 3 && !v.Tripped {
		t.Fatalf("%d answers say that the message is wrong, and the canary goes on", m.of(h.round).bad)
	}
}

func (m *model) endSome(t *rapid.T) {
	claim, h := m.someClaim(t)
	if h == nil {
		return
	}
	n := rapid.IntRange(1, h.n).Draw(t, "ended")
	report := breaker.Report{Round: h.round}
	report.EndClaim(claim, int64(n))
	m.tell(t, h.replica, report)
	h.n -= n
}

// tell concludes, and concludes with nothing new for as long as replies are lost.
func (m *model) tell(t *rapid.T, a *actor, report breaker.Report) (v breaker.Decision) {
	round := report.Round
	a.insist(t, func() (err error) {
		v, err = a.Apply(t.Context(), m.list, report)
		report = breaker.Report{Round: round}
		m.recordTrip(v, a)
		return err
	})
	return v
}

func (m *model) extendSome(t *rapid.T) {
	claim, h := m.someClaim(t)
	if h == nil {
		return
	}
	h.replica.insist(t, func() error { return h.replica.Extend(t.Context(), m.list, claim) })
	if h.until > m.now {
		h.until = m.now + lease
	}
}

// crashOne replaces a replica, perhaps while it was telling what it knew.
func (m *model) crashOne(t *rapid.T) {
	claim, h := m.someClaim(t)
	if h == nil {
		return
	}
	dying := h.replica
	if rapid.Bool().Draw(t, "telling") {
		arrives := rapid.Bool().Draw(t, "arrives")
		dying.line.spared, dying.line.losses, dying.line.arrives = 0, 1, arrives
		report := breaker.Report{Round: h.round}
		report.Add(breaker.Answer{Kind: breaker.Accepted}, 1)
		report.EndClaim(claim, 1)
		if _, err := dying.Apply(t.Context(), m.list, report); err == nil {
			t.Fatalf("no error without a reply")
		}
		if arrives {
			m.count(h, breaker.Accepted, 1)
		}
	}
	for i, a := range m.actors {
		if a == dying {
			m.actors[i] = m.join()
		}
	}
	for claim, h := range m.claims {
		if h.replica == dying {
			h.n, h.dead = 0, h.n
			m.claims[claim] = h
		}
	}
}

func (m *model) waitAWhile(t *rapid.T) {
	most := rapid.SampledFrom([]int{1000, 4000, 20_000}).Draw(t, "most")
	m.pass(time.Duration(rapid.IntRange(50, most).Draw(t, "ms")) * time.Millisecond)
}

func (m *model) actOnTrip(t *rapid.T) {
	if m.trip == nil {
		return
	}
	m.by.insist(t, func() error { return m.by.Confirm(t.Context(), m.list, m.trip) })
	m.trip = nil
}

func (m *model) resume(t *rapid.T) {
	a := m.someActor(t)
	a.insist(t, func() error { return a.Reset(t.Context(), m.list) })
	m.trip = nil
}
