package queue_test

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"fanfare/internal/queue"
)

// element is what the model knows of one.
type element struct {
	id, raw        string
	attempts, lost int
}

type model struct {
	fixture
	born     int // elements made up so far
	batches  [][]string
	listed   []string
	back     []element
	due      []element // retries in the order of their due time
	notDue   []element
	leases   map[string]map[int]element
	past     []string // claims that are over
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

// check holds everything against the model.
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
	if got := len(m.everywhere()) + len(m.outbox()); got != m.born {
		m.Fatalf("%d elements are somewhere, want the %d that were made", got, m.born)
	}
}
