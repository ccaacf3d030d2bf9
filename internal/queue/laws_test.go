package queue_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// lawsHold compares random sequences of operations with a model, step by step. After each step the
// books balance, and every element is where the model has it.
func lawsHold(t *testing.T, b *backends.Backend) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{
			fixture: openOn(rt, b.Redis, b.Redis, queue.NewID(), queue.Options{Lease: time.Minute}),
			leases:  map[string]map[int]element{},
			ended:   map[string]int64{},
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":             m.check,
			"push":         m.pushSome,
			"append":       m.appendBatch,
			"claim":        m.claimSome,
			"claim again":  m.claimAgain,
			"settle":       m.settleSome,
			"give back":    m.giveSomeBack,
			"expire, reap": m.expireSome,
			"extend":       m.extendSome,
			"fall due":     m.retriesFallDue,
		})
	})
}

func (m *model) newElements(t *rapid.T) []string {
	some := make([]string, rapid.IntRange(1, 6).Draw(t, "elements"))
	for i := range some {
		m.made++
		some[i] = fmt.Sprintf("element %d", m.made)
	}
	return some
}

func (m *model) pushSome(t *rapid.T) {
	some := m.newElements(t)
	m.push(some...)
	m.listed = append(m.listed, some...)
}

func (m *model) appendBatch(t *rapid.T) {
	seq := rapid.IntRange(0, len(m.batches)).Draw(t, "batch")
	known := seq < len(m.batches)
	if !known {
		some := m.newElements(t)
		m.batches = append(m.batches, some)
		m.listed = append(m.listed, some...)
		m.accepted += int64(len(some))
	}
	wantEqual(m, "accepted", m.append("load", int64(seq), 0, m.batches[seq]...), !known)
}

func (m *model) claimSome(t *rapid.T) {
	n := rapid.IntRange(1, 8).Draw(t, "n")
	got := m.claim(n)
	lease := map[int]element{}
	next := func(e element) { lease[len(lease)+1] = e }
	for len(lease) < n && len(m.due) > 0 {
		next(m.due[0])
		m.due = m.due[1:]
	}
	for len(lease) < n && len(m.back) > 0 {
		next(m.back[0])
		m.back = m.back[1:]
	}
	for len(lease) < n && len(m.listed) > 0 {
		m.claimed++
		next(element{id: fmt.Sprintf("%s:%d", got.Claim, m.claimed), raw: m.listed[0]})
		m.listed = m.listed[1:]
	}
	m.wantLease(got, lease)
	if len(lease) > 0 {
		m.leases[got.Claim] = lease
	}
}

func (m *model) claimAgain(t *rapid.T) {
	for _, claim := range m.someClaims(t) {
		m.wantLease(m.claimAs(claim, rapid.IntRange(1, 8).Draw(t, "n")), m.leases[claim])
	}
}

// someClaims draws some of the claims that have a lease, in any order.
func (m *model) someClaims(t *rapid.T) []string {
	living := slices.Sorted(maps.Keys(m.leases))
	if len(living) == 0 {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(living), 0, len(living), rapid.ID[string]).Draw(t, "claims")
}

func (m *model) settleSome(t *rapid.T) {
	var settlements []queue.Settlement
	want := 0
	var later []element
	for _, claim := range m.someClaims(t) {
		for pos := range 9 { // position 0 does not exist; others may be settled already
			e, there := m.leases[claim][pos]
			s := queue.Settlement{Claim: claim, Pos: pos, Status: "sent", Emit: []byte(e.raw)}
			switch rapid.SampledFrom([]string{"leave", "sent", "failed", "later"}).Draw(t, "outcome") {
			case "leave":
				continue
			case "failed":
				s.Status, s.Code = "failed", "CODE"
			case "later":
				s = queue.Settlement{Claim: claim, Pos: pos, Later: true, Delay: time.Hour, Attempts: e.attempts + 1}
			}
			settlements = append(settlements, s)
			if !there {
				continue
			}
			want++
			delete(m.leases[claim], pos)
			if s.Later {
				e.attempts++
				later = append(later, e)
			} else {
				m.ended[s.Status]++
				m.emitted = append(m.emitted, e.raw)
			}
		}
		m.forget(claim)
	}
	for _, claim := range m.past {
		settlements = append(settlements, sent(claim, 1, "never"))
	}
	wantEqual(m, "applied", m.settle(settlements...), want)
	m.notDue = append(m.notDue, later...)
}

func (m *model) giveSomeBack(t *rapid.T) {
	claims := m.someClaims(t)
	got := m.giveBack(append(claims, m.past...)...)
	wantEqual(m, "given back", got, m.release(claims, 0))
}

func (m *model) expireSome(t *rapid.T) {
	claims := m.someClaims(t)
	m.expire(claims...)
	want := m.release(claims, 1)
	m.reaped += int64(want)
	wantEqual(m, "reaped", m.reap(), want)
}

func (m *model) extendSome(t *rapid.T) {
	claims := m.someClaims(t)
	m.expire(claims...)
	lost, err := m.Extend(m.Context(), append(claims, m.past...)...)
	if err != nil {
		m.Fatalf("extend: %v", err)
	}
	wantList(m, "lost", lost, m.past)
	wantEqual(m, "reaped of the extended", m.reap(), 0)
}

// retriesFallDue makes all retries due, in the order that Redis has them: by due time, then by id.
func (m *model) retriesFallDue(*rapid.T) {
	m.fallDue()
	m.due = append(m.due, m.notDue...)
	m.notDue = nil
	members := m.rdb.ZRange(m.Context(), m.list.Key(keys.SuffixRetry), 0, -1).Val()
	if len(members) != len(m.due) {
		m.Fatalf("%d retries, want %d", len(members), len(m.due))
	}
	place := map[string]int{}
	for i, member := range members {
		id, _, _ := strings.Cut(member, " ")
		place[id] = i
	}
	slices.SortFunc(m.due, func(a, b element) int { return place[a.id] - place[b.id] })
}

// element is what the model knows of an element.
type element struct {
	id, raw        string
	attempts, lost int
}

type model struct {
	fixture
	made     int // elements made up so far
	batches  [][]string
	listed   []string
	back     []element
	due      []element // retries in the order of their due time
	notDue   []element
	leases   map[string]map[int]element
	past     []string // ended claims
	ended    map[string]int64
	accepted int64
	claimed  int64
	reaped   int64
	emitted  []string
}

func (m *model) forget(claim string) {
	if len(m.leases[claim]) == 0 {
		delete(m.leases, claim)
		m.past = append(m.past, claim)
	}
}

// release moves what is left of claims to the head of back, oldest claim first.
func (m *model) release(claims []string, lost int) (n int) {
	var released []element
	for _, claim := range slices.Sorted(slices.Values(claims)) {
		lease := m.leases[claim]
		for _, pos := range slices.Sorted(maps.Keys(lease)) {
			e := lease[pos]
			e.lost += lost
			released = append(released, e)
		}
		clear(lease)
		m.forget(claim)
	}
	m.back = append(released, m.back...)
	return len(released)
}

func (m *model) wantLease(got queue.Lease, want map[int]element) {
	if len(got.Elements) != len(want) {
		m.Fatalf("lease of %d elements, want %d", len(got.Elements), len(want))
	}
	for i, pos := range slices.Sorted(maps.Keys(want)) {
		e := got.Elements[i]
		wantEqual(m, "position", e.Pos, pos)
		wantEqual(m, "element", element{id: e.ID, raw: string(e.Raw), attempts: e.Attempts, lost: e.Lost}, want[pos])
	}
}

// check compares the books and all elements with the model.
func (m *model) check(*rapid.T) {
	c := m.counts()
	inFlight := 0
	for _, lease := range m.leases {
		inFlight += len(lease)
	}
	wantEqual(m, "listed", c.Listed, int64(len(m.listed)))
	wantEqual(m, "back", c.Back, int64(len(m.back)))
	wantEqual(m, "retrying", c.Retrying, int64(len(m.due)+len(m.notDue)))
	wantEqual(m, "in flight", c.InFlight, int64(inFlight))
	wantEqual(m, "claimed", c.Claimed, m.claimed)
	wantEqual(m, "accepted", c.Accepted, m.accepted)
	wantEqual(m, "reaped", c.Reaped, m.reaped)
	wantEqual(m, "outbox", c.Outbox, int64(len(m.emitted)))
	wantEqual(m, "ended", fmt.Sprint(c.Ended), fmt.Sprint(m.ended))
	wantEqual(m, "failed with a code", c.Codes["failed:CODE"], m.ended["failed"])
	if got := len(m.everywhere()) + len(m.outbox()); got != m.made {
		m.Fatalf("%d elements are somewhere, want the %d that were made", got, m.made)
	}
}
