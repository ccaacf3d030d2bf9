package queue

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settleAtOnce bounds one script, which blocks Redis while it runs; about a millisecond's work.
const settleAtOnce = 1000

// Settlement ends one leased element, or puts it off.
type Settlement struct {
	Claim string
	Pos   int

	// Status and Code are what an ended element is counted under; Code may be empty. Emit is appended to Options.Emit.
	Status string
	Code   string
	Emit   []byte

	// MaxRare, where above 0, says that there may be any number of such codes: a new one is counted as OTHER when so many
	// of them are counted by name.
	MaxRare int

	// Later puts the element into the retry set instead, due In from the server's now, with that count of Attempts. It is
	// counted under Cause, unless that is empty.
	Later    bool
	In       time.Duration
	Attempts int
	Cause    string
}

// Settle ends elements or puts them off, for many claims at once. An element whose lease is lost, or that is settled
// already, is left out, so that repeating is harmless; applied counts the others. When a reply was lost on the way,
// the client's own repetition finds everything settled: a low count alone proves no loss.
// On an error, some of the settlements may have been applied.
func (q *Queue) Settle(ctx context.Context, settlements []Settlement) (applied int, err error) {
	for i := range settlements {
		if err := q.checkSettlement(&settlements[i]); err != nil {
			return 0, q.wrap("settle in", err)
		}
	}
	for some := range slices.Chunk(grouped(settlements), settleAtOnce) {
		keys, args := q.settleCall(some)
		n, err := q.run(ctx, settleScript, keys, args...).Int()
		applied += n
		if err != nil {
			return applied, q.wrap("settle in", err)
		}
	}
	return applied, nil
}

// Direct tells that payloads go where they belong at once, and that nobody has to forward them.
func (q *Queue) Direct() bool { return q.o.Direct != "" }

func (q *Queue) checkSettlement(s *Settlement) error {
	switch {
	case s.Claim == "":
		return errors.New("settlement without a claim")
	case s.Pos < 0 || s.Pos > maxClaim:
		return fmt.Errorf("settlement of %s:%d, which is no position in a claim", s.Claim, s.Pos)
	case !s.Later && s.Status == "":
		return fmt.Errorf("settlement of %s:%d without a status", s.Claim, s.Pos)
	case !s.Later && len(s.Emit) > 0 && q.o.Emit == "":
		return fmt.Errorf("settlement of %s:%d has a payload, but there is no list to emit it to", s.Claim, s.Pos)
	}
	return nil
}

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
