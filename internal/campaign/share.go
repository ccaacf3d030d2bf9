package campaign

import "container/heap"

// Contender is one running campaign that wants slots of a dispatcher.
type Contender struct {
	ID       string
	Weight   int  // as in its Spec; below 1 counts as 1
	InFlight int  // slots that it holds
	Idle     bool // known to have nobody to claim now
	// Turn says when it was last granted something, in a count of the caller's. Where shares are equal, whoever waited
	// longest comes first: with more campaigns than slots, each has its turn.
	Turn uint64
}

// Grant is how many slots a campaign gets.
type Grant struct {
	ID string
	N  int
}

// Share divides free slots among the contenders that are not idle, so that the smallest holding, counted by weight, is
// as large as can be: each slot goes to whoever holds least. A small campaign so never waits behind a big one, which gets
// none of what comes free until the small one holds as much or is idle. The neediest is the first of the grants.
func Share(free int, among []Contender) []Grant {
	var h shares
	for i := range among {
		if !among[i].Idle {
			h = append(h, &holding{Contender: &among[i], weight: max(1, among[i].Weight), holds: among[i].InFlight})
		}
	}
	if len(h) == 0 {
		return nil
	}
	heap.Init(&h)
	var granted []*holding
	for range free {
		neediest := h[0]
		if neediest.holds == neediest.InFlight {
			granted = append(granted, neediest)
		}
		neediest.holds++
		heap.Fix(&h, 0)
	}
	grants := make([]Grant, len(granted))
	for i, g := range granted {
		grants[i] = Grant{ID: g.ID, N: g.holds - g.InFlight}
	}
	return grants
}

// holding is a contender with what it holds after the grants so far.
type holding struct {
	*Contender
	weight, holds int
}

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

// Push is heap.Interface's; all contenders are there from the start.
func (s *shares) Push(x any) { *s = append(*s, x.(*holding)) }

// Pop is heap.Interface's.
func (s *shares) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
