package queue

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// label is what elements are counted under. One without a status stands for later, with the cause as its code: the status of an
// ended element is never empty. A rare code carries its limit, as in "?24 CODE".
type label struct{ status, code string }

func (s *Settlement) label() label {
	if s.Later {
		return label{code: s.Cause}
	}
	if s.MaxRare > 0 && s.Code != "" {
		return label{s.Status, "?" + strconv.Itoa(s.MaxRare) + " " + s.Code}
	}
	return label{s.Status, s.Code}
}

// payloads is how many the settlement has: one or none.
func (s *Settlement) payloads() int {
	if s.Later || len(s.Emit) > 0 {
		return 1
	}
	return 0
}

func (s *Settlement) payload() any {
	if !s.Later {
		return s.Emit
	}
	return strconv.FormatInt(max(s.In.Milliseconds(), 0), 10) + " " + strconv.Itoa(max(s.Attempts, 0))
}

// alike tells that two settlements go into one group of settle.lua's.
func (s *Settlement) alike(other *Settlement) bool {
	return s.Claim == other.Claim && s.label() == other.label() && s.payloads() == other.payloads()
}

// grouped brings together what is alike.
func grouped(settlements []Settlement) []*Settlement {
	all := make([]*Settlement, len(settlements))
	for i := range settlements {
		all[i] = &settlements[i]
	}
	slices.SortStableFunc(all, func(a, b *Settlement) int {
		if c := strings.Compare(a.Claim, b.Claim); c != 0 {
			return c
		}
		l, m := a.label(), b.label()
		return cmp.Or(strings.Compare(l.status, m.status), strings.Compare(l.code, m.code), cmp.Compare(a.payloads(), b.payloads()))
	})
	return all
}

// settleCall lays out KEYS and ARGV as settle.lua describes them.
func (q *Queue) settleCall(some []*Settlement) (keys []string, args []any) {
	keys = []string{q.leases, q.retry, q.counts}
	var claims []string
	labels := []label{{}} // few, so that a plain search finds them
	groups := make([]any, 0, 2*len(some))
	for first := 0; first < len(some); {
		end := first + 1
		for end < len(some) && some[end].alike(some[first]) {
			end++
		}
		group := some[first:end]
		if claim := group[0].Claim; len(claims) == 0 || claims[len(claims)-1] != claim {
			claims, keys = append(claims, claim), append(keys, q.list.Lease(claim))
		}
		at := slices.Index(labels, group[0].label())
		if at < 0 {
			at, labels = len(labels), append(labels, group[0].label())
		}
		groups = appendGroup(groups, len(claims), at, group)
		first = end
	}
	if q.o.Emit != "" {
		keys = append(keys, q.o.Emit)
	}
	if q.o.Direct != "" {
		keys = append(keys, q.o.Direct)
	}
	args = append(make([]any, 0, 2+len(claims)+2*len(labels)+len(groups)), len(claims))
	for _, claim := range claims {
		args = append(args, claim)
	}
	args = append(args, len(labels)-1)
	for _, l := range labels[1:] {
		args = append(args, l.status, l.code)
	}
	return keys, append(args, groups...)
}

// appendGroup lays out elements that are alike.
func appendGroup(groups []any, claim, label int, group []*Settlement) []any {
	positions := make([]byte, 0, 2*len(group))
	for _, s := range group {
		positions = binary.BigEndian.AppendUint16(positions, uint16(s.Pos))
	}
	payloads := len(group) * group[0].payloads()
	groups = append(groups, claim, label, payloads, positions)
	for _, s := range group[:payloads] {
		groups = append(groups, s.payload())
	}
	return groups
}
