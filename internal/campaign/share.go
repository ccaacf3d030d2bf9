package campaign

import (
	"cmp"
	"container/heap"
	"slices"
)

// Contender is one running campaign that wants slots of a dispatcher.
type Contender struct {
	ID       string
	Weight   int // as in its Spec; below 1 counts as 1
	Priority int // as in its Spec
	InFlight int // slots that it holds
	// Most is how many slots it has a use for, 0: any number. A campaign with a cap of its own has to name it: what it holds
	// beyond waits for the cap, and keeps slots from the others.
	Most int
	Idle bool // known to have nobody to claim now
	// Turn says when it was last granted something, in a count of the caller's. Where shares are equal, whoever waited
	// longest comes first: with more campaigns than slots, each has its turn.
	Turn uint64
}

// Grant is how many slots a campaign gets.
type Grant struct {
	ID string
	N  int
}

// Share divides free slots among the contenders that want some. The highest priority comes first, strictly: a lower one gets
// what all higher ones leave, be it nothing for as long as they have recipients. (A trickle for everybody would make of
// "before" a mere "more", which is what weights are for.)
//
// Within a priority the smallest holding, counted by weight, is made as large as can be: each slot goes to whoever holds
// least. A small campaign so never waits behind a big one, which gets none of what comes free until the small one holds
// as much or wants no more. The neediest is the first of the grants.
func Share(free int, among []Contender) []Grant {
	var wanting []*holding
	for i := range among {
		if h := newHolding(&among[i]); !among[i].Idle && !h.full() {
			wanting = append(wanting, h)
		}
	}
	slices.SortStableFunc(wanting, func(a, b *holding) int { return cmp.Compare(b.Priority, a.Priority) })
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

// divide gives free slots to contenders of one priority, and takes them off. It returns those that got some.
func divide(free *int, among shares) (granted []*holding) {
	heap.Init(&among)
	for ; *free > 0 && len(among) > 0; *free-- {
		neediest := among[0]
		if neediest.holds == neediest.InFlight {
			granted = append(granted, neediest)
		}
		neediest.holds++
		if neediest.full() {
			heap.Pop(&among)
		} else {
			heap.Fix(&among, 0)
		}
	}
	return granted
}

// holding is a contender with what it holds after the grants so far.
type holding struct {
	*Contender
	weight, holds int
}

func newHolding(c *Contender) *holding {
	return &holding{Contender: c, weight: max(1, c.Weight), holds: c.InFlight}
}

func (h *holding) full() bool { return h.Most > 0 && h.holds >= h.Most }

// shares is a heap with the smallest holding by weight at its top.
type shares []*holding

func (s shares) Len() int { return len(s) }

func (s shares) Less(i, j int) bool {
	a, b := s[i], s[j]
	if x, y := a.holds*b.weight, b.holds*a.weight; x != y {
		return x < y
	}
	if a.Turn != b.Turn {
		return a.Turn < b.Turn
	}
	return a.ID < b.ID
}

func (s shares) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

// Push is heap.Interface's; nobody calls it, for all contenders are there from the start.
func (s *shares) Push(x any) { *s = append(*s, x.(*holding)) }

// Pop is heap.Interface's.
func (s *shares) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
