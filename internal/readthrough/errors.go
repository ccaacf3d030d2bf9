package readthrough

import (
	"errors"
	"fmt"
	"slices"
)

// SourceError names the ids about which nothing can be said now, because Redis or the source behind it did not answer.
// All other ids of the same look-up are answered.
type SourceError struct {
	IDs []string
	Err error
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("%d ids have no answer now: %v", len(e.IDs), e.Err)
}

// Unwrap gives the fault itself, which may be the caller's own cancellation.
func (e *SourceError) Unwrap() error { return e.Err }

// Undecided reports whether a look-up that ended with err left id without an answer. An error that does not say whom
// it concerns concerns everybody.
func IsUndecided(err error, id string) bool {
	if err == nil {
		return false
	}
	partial, ok := errors.AsType[*SourceError](err)
	return !ok || slices.Contains(partial.IDs, id)
}
