package campaign

import (
	"errors"
	"fmt"

	"fanfare/internal/terminal"
)

// What callers branch on.
var (
	ErrNotFound = errors.New("no such campaign")
	ErrExists   = errors.New("campaign exists already")
	// ErrAudienceExists refuses a load that was not asked to append.
	ErrAudienceExists = errors.New("campaign has an audience, or another load has just begun: append to add to it")
	// ErrDeleted says that a campaign was deleted while recipients were loaded into it, or that another load has gone on.
	ErrDeleted = errors.New("campaign was deleted while it was loaded, or another load has taken over")
	// ErrOtherAudience refuses to go on with an interrupted load: the audience begins as that one did, and then differs.
	ErrOtherAudience = errors.New("audience is not the one that was being loaded: it begins alike, and then differs")
)

// TransitionError refuses a change of state that the table does not have; nothing was changed.
type TransitionError struct {
	ID       string
	From, To State
}

func (e *TransitionError) Error() string {
	switch {
	case e.To == deleted:
		return fmt.Sprintf("campaign %s is %s: pause or cancel it before it is deleted", terminal.Printable(e.ID), e.From)
	case e.To == rewritten && e.From == Running:
		return fmt.Sprintf("campaign %s is %s: pause it before its message is replaced", terminal.Printable(e.ID), e.From)
	case e.To == rewritten:
		return fmt.Sprintf("campaign %s is %s: only a draft or a paused campaign gets another message", terminal.Printable(e.ID), e.From)
	case e.From.Final():
		return fmt.Sprintf("campaign %s is %s for good, and cannot become %s", terminal.Printable(e.ID), e.From, e.To)
	default:
		return fmt.Sprintf("campaign %s is %s, and cannot become %s", terminal.Printable(e.ID), e.From, e.To)
	}
}

// SpecError tells which field of a stored or given spec cannot be used. Other campaigns are not concerned.
type SpecError struct{ ID, Field, Problem string }

func (e *SpecError) Error() string {
	return fmt.Sprintf("spec of campaign %s: field %s %s", terminal.Printable(e.ID), e.Field, e.Problem)
}

// MalformedError tells why an element is no recipient. It never quotes the element, which may hold a token.
type MalformedError struct{ Problem string }

func (e *MalformedError) Error() string { return "malformed recipient: " + e.Problem }
