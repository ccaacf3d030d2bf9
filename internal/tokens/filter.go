package tokens

import (
	"slices"
	"time"
)

// Filter chooses removed tokens; the zero Filter chooses all of them.
type Filter struct {
	Users    []string  // of these users; none: of everybody
	From, To time.Time // removed at From or later, and before To; zero: no bound
	Campaign string    // removed by this campaign's pushes; "": by any
}

// chooses tells whether a copy of one of the users is meant.
func (f Filter) chooses(r Removed) bool {
	switch {
	case f.Campaign != "" && r.Campaign != f.Campaign,
		!f.From.IsZero() && r.At.Before(f.From),
		!f.To.IsZero() && !r.At.Before(f.To):
		return false
	}
	return true
}

// users are the named ones, each once.
func (f Filter) users() []string {
	users := slices.Sorted(slices.Values(f.Users))
	return slices.Compact(users)
}
