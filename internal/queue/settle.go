package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// settleAtOnce bounds one script, which blocks Redis while it runs; about a millisecond's work.
const settleAtOnce = 1000

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
	for order := range slices.Chunk(byClaim(settlements), settleAtOnce) {
		keys, args := q.settleCall(settlements, order)
		n, err := q.run(ctx, settleScript, keys, args...).Int()
		applied += n
		if err != nil {
			return applied, q.wrap("settle in", err)
		}
	}
	return applied, nil
}

func (q *Queue) checkSettlement(s *Settlement) error {
	switch {
	case s.Claim == "":
		return errors.New("settlement without a claim")
	case !s.Later && s.Status == "":
		return fmt.Errorf("settlement of %s:%d without a status", s.Claim, s.Pos)
	case !s.Later && len(s.Emit) > 0 && q.o.Emit == "":
		return fmt.Errorf("settlement of %s:%d has a payload, but there is no list to emit it to", s.Claim, s.Pos)
	}
	return nil
}

// byClaim orders the settlements by claim and position, as indexes. Of two for the same element the first counts.
func byClaim(settlements []Settlement) []int {
	order := make([]int, len(settlements))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &settlements[i], &settlements[j]
		if c := strings.Compare(a.Claim, b.Claim); c != 0 {
			return c
		}
		return a.Pos - b.Pos
	})
	return slices.CompactFunc(order, func(i, j int) bool {
		a, b := &settlements[i], &settlements[j]
		return a.Pos == b.Pos && a.Claim == b.Claim
	})
}

// label is what ended elements are counted under. A group has few of them, so they are told apart by a plain search.
type label struct{ status, code string }

// settleCall lays out KEYS and ARGV as settle.lua describes them.
func (q *Queue) settleCall(settlements []Settlement, order []int) (keys []string, args []any) {
	keys = append(make([]string, 0, 4+len(order)/8), q.leases, q.retry, q.counts)
	args = append(make([]any, 0, 8+4*len(order)), 0)
	var labels []label
	for first := 0; first < len(order); {
		claim := settlements[order[first]].Claim
		end := first + 1
		for end < len(order) && settlements[order[end]].Claim == claim {
			end++
		}
		keys = append(keys, q.list.lease(claim))
		args = append(args, claim, end-first)
		for _, i := range order[first:end] {
			args = append(args, settlements[i].Pos)
		}
		for _, i := range order[first:end] {
			var outcome int
			outcome, labels = settlements[i].outcome(labels)
			args = append(args, outcome)
		}
		for _, i := range order[first:end] {
			args = append(args, settlements[i].payload())
		}
		first = end
	}
	args[0] = len(keys) - 3
	if q.o.Emit != "" {
		keys = append(keys, q.o.Emit)
	}
	for _, l := range labels {
		args = append(args, l.status, l.code)
	}
	return keys, args
}

// outcome is 0 for later, else the number of the settlement's label, which is added where it is new.
func (s *Settlement) outcome(labels []label) (int, []label) {
	if s.Later {
		return 0, labels
	}
	own := label{s.Status, s.Code}
	if at := slices.Index(labels, own); at >= 0 {
		return at + 1, labels
	}
	return len(labels) + 1, append(labels, own)
}

func (s *Settlement) payload() any {
	if !s.Later {
		return s.Emit
	}
	return strconv.FormatInt(max(s.In.Milliseconds(), 0), 10) + " " + strconv.Itoa(max(s.Attempts, 0))
}
