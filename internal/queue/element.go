package queue

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/redisx"
)

// Element is one element of the list while it is leased.
type Element struct {
	Pos      int       // position in the claim, for Settle
	ID       string    // given at the first claim, kept through retries and losses
	Attempts int       // set by the last Settlement with Later
	Progress string    // the State that was saved last; empty if none was
	Lost     int       // how many of its leases ran out
	Since    time.Time // its first claim, server's clock
	Raw      []byte    // what the producer wrote; may be neither UTF-8 nor JSON
	Oversize bool      // Raw is above Options.MaxElement
}

// decodeElements reads the elements that claim.lua returns, in the order of their positions.
func decodeElements(claim, fresh string, positions, values []any) ([]Element, error) {
	f, err := parseFreshRun(claim, fresh)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, v := range values {
		value, ok := v.(string)
		if !ok {
			return nil, redisx.ErrReply
		}
		size += len(value)
	}
	elements := make([]Element, len(values))
	// One allocation each serves the whole claim: its elements end at about the same time.
	arena := make([]byte, 0, size)
	var ids strings.Builder
	ids.Grow(len(values) * (len(claim) + len(":") + usualDigits))
	for i, v := range values {
		e := &elements[i]
		e.Pos = i + 1
		if len(positions) > 0 {
			if e.Pos, err = parsePosition(positions, i); err != nil {
				return nil, err
			}
		}
		raw := v.(string)
		isFresh := e.Pos >= f.first
		if isFresh {
			f.complete(e, &ids)
		}
		if !isFresh || isSaved(raw, e.ID) {
			raw = e.decode(claim, raw)
		}
		start := len(arena)
		arena = append(arena, raw...)
		e.Raw = arena[start:len(arena):len(arena)]
	}
	return elements, nil
}

func parsePosition(positions []any, i int) (int, error) {
	if i >= len(positions) {
		return 0, redisx.ErrReply
	}
	pos, ok := positions[i].(int64)
	if !ok {
		return 0, redisx.ErrReply
	}
	return int(pos), nil
}

// freshRun is what the lease's elements straight from the producer have in common. See completer_of
// in prelude.lua.
type freshRun struct {
	claim  string
	first  int
	before int64
	since  time.Time
}

func parseFreshRun(claim, fresh string) (freshRun, error) {
	f := freshRun{claim: claim}
	var since int64
	if _, err := fmt.Sscanf(fresh, "%d %d %d", &f.first, &f.before, &since); err != nil {
		return freshRun{}, redisx.ErrReply
	}
	f.since = bounds.Milli(since)
	return f, nil
}

// isSaved reports whether a value of the fresh run has the missing words already, because its
// progress was saved.
func isSaved(value, id string) bool {
	return strings.HasPrefix(value, id) && strings.HasPrefix(value[len(id):], " ")
}

// usualDigits is how many digits the number of an element has at most in a usual audience.
const usualDigits = 9

// complete sets the missing words of an element. The id is a part of the text that ids collects.
func (f *freshRun) complete(e *Element, ids *strings.Builder) {
	var number [20]byte
	start := ids.Len()
	ids.WriteString(f.claim)
	ids.WriteByte(':')
	ids.Write(strconv.AppendInt(number[:0], f.before+1+int64(e.Pos-f.first), 10))
	e.ID, e.Since = ids.String()[start:], f.since
}

// decode splits "<id> <attempts> <lost> <since ms> <raw>", where a progress may follow the attempts
// after a semicolon. A value that no queue has written counts
// as raw. It then ends as a malformed element and does not block the list for ever.
func (e *Element) decode(claim, value string) (raw string) {
	id, rest, _ := strings.Cut(value, " ")
	attempts, rest, _ := strings.Cut(rest, " ")
	lost, rest, _ := strings.Cut(rest, " ")
	since, raw, whole := strings.Cut(rest, " ")
	attempts, progress, _ := strings.Cut(attempts, ";")
	a, err1 := strconv.Atoi(attempts)
	l, err2 := strconv.Atoi(lost)
	ms, err3 := strconv.ParseInt(since, 10, 64)
	if !whole || err1 != nil || err2 != nil || err3 != nil {
		e.ID = fmt.Sprintf("%s:foreign:%d", claim, e.Pos)
		return value
	}
	e.ID, e.Attempts, e.Progress, e.Lost, e.Since = id, bounds.Count(a), progress, bounds.Count(l), bounds.Milli(ms)
	return raw
}
