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
	Pos      int       // its place in the claim, for Settle
	ID       string    // given at its first claim, kept through retries and losses
	Attempts int       // as the last Settlement with Later said
	Lost     int       // how often a lease on it ran out
	Since    time.Time // of its first claim, server's clock
	Raw      []byte    // what the producer wrote; valid UTF-8 or JSON is not promised
	Oversize bool      // Raw is above Options.MaxElement
}

// decodeElements reads what claim.lua returns, which is in the order of the positions.
func decodeElements(claim, fresh string, positions, values []any) ([]Element, error) {
	f, err := parseFresh(claim, fresh)
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
	arena := make([]byte, 0, size) // one allocation for all of a claim, whose elements end at about the same time
	for i, v := range values {
		e := &elements[i]
		e.Pos = i + 1
		if len(positions) > 0 {
			if e.Pos, err = position(positions, i); err != nil {
				return nil, err
			}
		}
		raw := v.(string)
		if e.Pos >= f.first {
			f.dress(e)
		} else {
			raw = e.decode(claim, raw)
		}
		start := len(arena)
		arena = append(arena, raw...)
		e.Raw = arena[start:len(arena):len(arena)]
	}
	return elements, nil
}

func position(positions []any, i int) (int, error) {
	if i >= len(positions) {
		return 0, redisx.ErrReply
	}
	pos, ok := positions[i].(int64)
	if !ok {
		return 0, redisx.ErrReply
	}
	return int(pos), nil
}

// freshness is what a lease's elements straight from the producer have in common; see dresser in prelude.lua.
type freshness struct {
	claim  string
	first  int
	before int64
	since  time.Time
}

func parseFresh(claim, fresh string) (freshness, error) {
	f := freshness{claim: claim}
	var since int64
	if _, err := fmt.Sscanf(fresh, "%d %d %d", &f.first, &f.before, &since); err != nil {
		return freshness{}, redisx.ErrReply
	}
	f.since = bounds.Milli(since)
	return f, nil
}

func (f *freshness) dress(e *Element) {
	var room [64]byte
	id := append(append(room[:0], f.claim...), ':')
	e.ID = string(strconv.AppendInt(id, f.before+1+int64(e.Pos-f.first), 10))
	e.Since = f.since
}

// decode splits "<id> <attempts> <lost> <since ms> <raw>". A value that no queue has written is all raw, so that it
// ends as any malformed element does, instead of blocking the list for ever.
func (e *Element) decode(claim, value string) (raw string) {
	id, rest, _ := strings.Cut(value, " ")
	attempts, rest, _ := strings.Cut(rest, " ")
	lost, rest, _ := strings.Cut(rest, " ")
	since, raw, whole := strings.Cut(rest, " ")
	a, err1 := strconv.Atoi(attempts)
	l, err2 := strconv.Atoi(lost)
	ms, err3 := strconv.ParseInt(since, 10, 64)
	if !whole || err1 != nil || err2 != nil || err3 != nil {
		e.ID = fmt.Sprintf("%s:foreign:%d", claim, e.Pos)
		return value
	}
	e.ID, e.Attempts, e.Lost, e.Since = id, bounds.Count(a), bounds.Count(l), bounds.Milli(ms)
	return raw
}
