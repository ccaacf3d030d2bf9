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

// maxSettlements bounds one script to about a millisecond, because it blocks Redis while it runs.
const maxSettlements = 1000

// Settlement ends one leased element or defers it.
type Settlement struct {
	Claim string
	Pos   int

	// Status and Code are what an ended element is counted under. Code may be empty. Emit is
	// appended to Options.Emit.
	Status string
	Code   string
	Emit   []byte
	// Notes are counted as well, as "note:<Name>" in Counts.Notes.
	Notes []Note

	// MaxRare, where above 0, limits how many codes of this kind are counted by name. Further codes
	// are counted as OTHER.
	MaxRare int

	// Later puts the element into the retry set instead, due after Delay with that count of
	// Attempts and that Progress. It is counted under Cause, unless that is empty.
	Later    bool
	Delay    time.Duration
	Attempts int
	Progress string // as a Progress' State; may be empty
	Cause    string
}

// Note is what else is counted of an ended element: N of a Name. The name has no white space and no
// "=".
type Note struct {
	Name string
	N    int
}

// Settle ends or defers elements of many claims at once. It leaves out an element that is settled
// already or whose lease is lost, so repeating is harmless. applied counts the others. After a lost
// reply, the client's own repetition finds everything settled: a low count does not prove a loss.
// On an error, some of the settlements may have been applied.
func (q *Queue) Settle(ctx context.Context, settlements []Settlement) (applied int, err error) {
	for i := range settlements {
		if err := q.checkSettlement(&settlements[i]); err != nil {
			return 0, q.wrap("settle in", err)
		}
	}
	for some := range slices.Chunk(groupAlike(settlements), maxSettlements) {
		keys, args := q.buildSettleCall(some)
		n, err := q.run(ctx, settleScript, keys, args...).Int()
		applied += n
		if err != nil {
			return applied, q.wrap("settle in", err)
		}
	}
	return applied, nil
}

// EmitsDirectly reports whether payloads go straight to their destination, so that no one has to
// forward them.
func (q *Queue) EmitsDirectly() bool { return q.o.Direct != "" }

func (q *Queue) checkSettlement(s *Settlement) error {
	switch {
	case s.Claim == "":
		return errors.New("settlement has no claim")
	case s.Pos < 0 || s.Pos > maxClaim:
		return fmt.Errorf("settlement of %s:%d has an invalid position", s.Claim, s.Pos)
	case !s.Later && s.Status == "":
		return fmt.Errorf("settlement of %s:%d has no status", s.Claim, s.Pos)
	case slices.ContainsFunc(s.Notes, Note.isInvalid):
		return fmt.Errorf("settlement of %s:%d has an invalid note in %v", s.Claim, s.Pos, s.Notes)
	case !s.Later && len(s.Emit) > 0 && q.o.Emit == "":
		return fmt.Errorf("settlement of %s:%d has a payload, but the queue emits nothing; set Options.Emit", s.Claim, s.Pos)
	}
	return checkState(s.Progress)
}

func (n Note) isInvalid() bool {
	return n.Name == "" || n.N < 0 || strings.ContainsAny(n.Name, " \t\r\n\v\f=")
}

// label is what elements are counted under. An ended element has a status. A label without one
// stands for later, and its code is the cause. A rare code carries its limit, as in "?24 CODE".
type label struct{ status, code string }

func (s *Settlement) label() label {
	if s.Later {
		return label{code: s.Cause}
	}
	status := s.Status
	for _, note := range s.Notes {
		status += " +" + note.Name + "=" + strconv.Itoa(note.N)
	}
	if s.MaxRare > 0 && s.Code != "" {
		return label{status, "?" + strconv.Itoa(s.MaxRare) + " " + s.Code}
	}
	return label{status, s.Code}
}

// payloads is how many payloads the settlement has: one or none.
func (s *Settlement) payloads() int {
	if s.Later || len(s.Emit) > 0 {
		return 1
	}
	return 0
}

// MarshalBinary returns the payload. A settlement is its own argument of the script, because a
// slice of bytes as an argument is an allocation.
func (s *Settlement) MarshalBinary() ([]byte, error) {
	if !s.Later {
		return s.Emit, nil
	}
	delay := strconv.FormatInt(max(s.Delay.Milliseconds(), 0), 10)
	return []byte(delay + " " + attemptsWord(s.Attempts, s.Progress)), nil
}

// isAlike reports whether two settlements go into one group of settle.lua.
func (s *Settlement) isAlike(other *Settlement) bool {
	return s.Claim == other.Claim && s.label() == other.label() && s.payloads() == other.payloads()
}

// groupAlike sorts settlements so that those of one group are next to each other.
func groupAlike(settlements []Settlement) []*Settlement {
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

// buildSettleCall lays out KEYS and ARGV as settle.lua describes them.
func (q *Queue) buildSettleCall(some []*Settlement) (keys []string, args []any) {
	keys = []string{q.leases, q.retry, q.counts}
	var claims []string
	labels := []label{{}} // few, so that a plain search finds them
	groups := make([]any, 0, 2*len(some))
	for first := 0; first < len(some); {
		end := first + 1
		for end < len(some) && some[end].isAlike(some[first]) {
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

// appendGroup appends the arguments of one group.
func appendGroup(groups []any, claim, label int, group []*Settlement) []any {
	positions := make([]byte, 0, 2*len(group))
	for _, s := range group {
		positions = binary.BigEndian.AppendUint16(positions, uint16(s.Pos))
	}
	payloads := len(group) * group[0].payloads()
	groups = append(groups, claim, label, payloads, positions)
	for _, s := range group[:payloads] {
		groups = append(groups, s)
	}
	return groups
}
