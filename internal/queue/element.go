package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decodeElements reads position and value in turn and sorts by position, for a repeated claim comes out of a hash.
func decodeElements(claim string, pairs []any, maxElement int) ([]Element, error) {
	elements := make([]Element, len(pairs)/2)
	size := 0
	for i := range elements {
		pos, ok1 := pairs[2*i].(int64)
		value, ok2 := pairs[2*i+1].(string)
		if !ok1 || !ok2 {
			return nil, errReply
		}
		elements[i].Pos = int(pos)
		size += len(value)
	}
	arena := make([]byte, 0, size) // one allocation for all of a claim, whose elements end at about the same time
	for i := range elements {
		raw := elements[i].decode(claim, pairs[2*i+1].(string))
		start := len(arena)
		arena = append(arena, raw...)
		elements[i].Raw = arena[start:len(arena):len(arena)]
		elements[i].Oversize = len(raw) > maxElement
	}
	slices.SortFunc(elements, func(a, b Element) int { return cmp.Compare(a.Pos, b.Pos) })
	return elements, nil
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
	e.ID, e.Attempts, e.Lost, e.Since = id, a, l, time.UnixMilli(ms)
	return raw
}
