package campaign

import (
	"cmp"
	"container/heap"
	"slices"
)

// Contender is one running campaign that wants slots of a dispatcher.
type Contender struct {
	ID       string
	Weight   int // from the Spec; below 1 counts as 1
	Priority int // from the Spec
	InFlight int // slots that it holds
	// MaxSlots is how many slots the campaign can use; 0 means any number. A campaign with a
	// rate cap must set it: slots beyond the cap would only wait, and be missing elsewhere.
	MaxSlots int
	Idle     bool // known to have no recipients to claim now
	// Turn says when the campaign last got a grant, as a count of the caller's. Among equal
	// shares the campaign that waited longest comes first. So every campaign has its turn, even
	// with more campaigns than slots.
	Turn uint64
}

// Grant is how many slots a campaign gets.
type Grant struct {
	ID string
	N  int
}

// Share divides free slots among the contenders. Priorities are strict: a lower priority gets
// only what all higher ones leave, and that may be nothing. Weights are the way to give some
// campaigns more than others.
//
// Within a priority it applies max-min fairness: each slot goes to the campaign with the fewest
// slots by weight. A small campaign therefore never waits behind a big one. The campaign with the
// fewest slots is first in the result.
func Share(free int, among []Contender) []Grant {
	var wanting []*allotment
	for i := range among {
		if h := newHolding(&among[i]); !among[i].Idle && !h.isFull() {
			wanting = append(wanting, h)
		}
	}
	slices.SortStableFunc(wanting, func(a, b *allotment) int { return cmp.Compare(b.Priority, a.Priority) })
	var grants []Grant
	for free > 0 && len(wanting) > 0 {
		level := 1
		for level < len(wanting) && wanting[level].Priority == wanting[0].Priority {
			level++
		}
		for _, g := range divide(&free, wanting[:level:level]) {
			grants = append(grants, Grant{ID: g.ID, N: g.holds - g.InFlight})
		}
		wanting = wanting[level:]
	}
	return grants
}

// divide gives free slots to contenders of one priority and subtracts them from free. It returns
// those that got some.
func divide(free *int, among shareHeap) (granted []*allotment) {
	heap.Init(&among)
	for ; *free > 0 && len(among) > 0; *free-- {
		neediest := among[0]
		if neediest.holds == neediest.InFlight {
			granted = append(granted, neediest)
		}
		neediest.holds++
		if neediest.isFull() {
			heap.Pop(&among)
		} else {
			heap.Fix(&among, 0)
		}
	}
	return granted
}

// allotment is a contender with the slots that it has after the grants so far.
type allotment struct {
	*Contender
	weight, holds int
}

func newHolding(c *Contender) *allotment {
	return &allotment{Contender: c, weight: max(1, c.Weight), holds: c.InFlight}
}

func (h *allotment) isFull() bool { return h.MaxSlots > 0 && h.holds >= h.MaxSlots }

// shareHeap is a heap with the fewest slots by weight at the top.
type shareHeap []*allotment

func (s shareHeap) Len() int { return len(s) }

func (s shareHeap) Less(i, j int) bool {
	a, b := s[i], s[j]
	if x, y := a.holds*b.weight, b.holds*a.weight; x != y {
		return x < y
	}
	if a.Turn != b.Turn {
		return a.Turn < b.Turn
	}
	return a.ID < b.ID
}

func (s shareHeap) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

// Push implements heap.Interface. It is not called, because all contenders are there from the
// start.
func (s *shareHeap) Push(x any) { *s = append(*s, x.(*allotment)) }

// Pop implements heap.Interface.
func (s *shareHeap) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
