package responder

import (
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
)

// These statuses are what the books of the list count elements under. The code is that of the
// result's status or of the dead letter.
const (
	statusApplied = "applied"
	statusRefused = "refused"
)

// batch is a lease with its decoded results.
type batch struct {
	lease      queue.Lease
	results    []notification.Result
	elements   []*queue.Element // one for each result
	unreadable []queue.Settlement
	letters    map[responses.Kind]int // dead letters that the settlements emit
}

// decode decodes the elements of a lease. An element that is no result becomes a dead letter with
// its bytes. Size alone is no fault.
func decode(lease queue.Lease) *batch {
	b := &batch{
		lease:    lease,
		results:  make([]notification.Result, 0, len(lease.Elements)),
		elements: make([]*queue.Element, 0, len(lease.Elements)),
		letters:  make(map[responses.Kind]int),
	}
	for i := range lease.Elements {
		e := &lease.Elements[i]
		r, err := responses.Decode(e.Raw)
		if err != nil {
			b.unreadable = append(b.unreadable, b.refuse(e, responses.DeadLetter{ID: e.ID}, err))
			continue
		}
		b.results = append(b.results, r)
		b.elements = append(b.elements, e)
	}
	return b
}

// refuse ends an element that cannot be written as a dead letter that can be replayed unchanged.
func (b *batch) refuse(e *queue.Element, letter responses.DeadLetter, why error) queue.Settlement {
	letter.Kind, letter.Reason, letter.At, letter.Raw = responses.KindResult, why.Error(), b.lease.Now, e.Raw
	return queue.Settlement{
		Claim: b.lease.Claim, Pos: e.Pos, Status: statusRefused, Code: letter.Code(),
		Emit: b.emit(&letter),
	}
}

func (b *batch) emit(letter *responses.DeadLetter) []byte {
	b.letters[letter.Kind]++
	return responses.AppendDeadLetter(nil, letter)
}

// settlements end all elements. refused has the reasons of the results that the database refused,
// by index.
func (b *batch) settlements(refused map[int]error) []queue.Settlement {
	all := make([]queue.Settlement, 0, len(b.lease.Elements))
	for i := range b.results {
		r, e := &b.results[i], b.elements[i]
		if why := refused[i]; why != nil {
			letter := responses.DeadLetter{ID: r.ResultID, Result: *r}
			letter.Result.Raw = nil
			letter.Result.RemoveTokens()
			all = append(all, b.refuse(e, letter, why))
			continue
		}
		s := queue.Settlement{Claim: b.lease.Claim, Pos: e.Pos, Status: statusApplied, Code: string(r.Status)}
		if r.Status == notification.StatusFailed {
			letter := responses.FailedLetter(*r, b.lease.Now)
			s.Emit = b.emit(&letter)
		}
		all = append(all, s)
	}
	return append(all, b.unreadable...)
}

// oldest is when the oldest result was made; zero if there is none.
func (b *batch) oldest() (at time.Time) {
	for i := range b.results {
		at = earlier(at, b.results[i].At)
	}
	return at
}

// earlier returns the earlier of two times. The zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
