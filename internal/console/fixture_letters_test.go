package console

import (
	"context"
	"iter"

	"fanfare/internal/responses"
)

// fakeLetters are the dead letters of the system.
type fakeLetters struct{ *fakeSystem }

func (f fakeLetters) List(_ context.Context, filter responses.Filter) iter.Seq2[responses.DeadLetter, error] {
	return func(yield func(responses.DeadLetter, error) bool) {
		if f.lettersErr != nil {
			yield(responses.DeadLetter{}, f.lettersErr)
			return
		}
		for _, l := range f.letters {
			if filter.Matches(&l) && !yield(l, nil) {
				return
			}
		}
	}
}

func (f fakeLetters) Len(context.Context) (int64, error) { return int64(len(f.letters)), nil }

func (f fakeLetters) Dropped(context.Context) (int64, error) { return f.dropped, nil }

func (f fakeLetters) Get(_ context.Context, id string) (responses.DeadLetter, error) {
	for _, l := range f.letters {
		if l.ID == id {
			return l, nil
		}
	}
	return responses.DeadLetter{}, responses.ErrNoDeadLetter
}

func (f fakeLetters) Purge(_ context.Context, filter responses.Filter) (int, error) {
	return len(f.letters), f.record("purge " + filter.Code)
}
