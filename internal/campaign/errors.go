package campaign

import (
	"errors"
	"fmt"

	"fanfare/internal/terminal"
)

// Errors that callers check with errors.Is.
var (
	ErrNotFound = errors.New("no such campaign")
	ErrExists   = errors.New("campaign exists already")
	// ErrAudienceExists is returned to a load that does not append when there is an audience
	// already.
	ErrAudienceExists = errors.New("campaign has an audience, or another load has just begun: append to add to it")
	// ErrDeleted is returned when the campaign was deleted during a load, or another load took
	// over.
	ErrDeleted = errors.New("campaign was deleted while it was loaded, or another load has taken over")
	// ErrOtherAudience is returned when a load cannot continue an interrupted one. The files
	// begin with the same recipients and then differ.
	ErrOtherAudience = errors.New("audience is not the one that was being loaded: it begins alike, and then differs")
)

// TransitionError refuses a change of state that the table does not allow. Nothing was changed.
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

// SpecError names the field of a spec that cannot be used. Other campaigns are not affected.
type SpecError struct{ ID, Field, Problem string }

func (e *SpecError) Error() string {
	return fmt.Sprintf("spec of campaign %s: field %s %s", terminal.Printable(e.ID), e.Field, e.Problem)
}

// MalformedError says why an element is not a recipient. It never quotes the element, which may
// contain a token.
type MalformedError struct{ Problem string }

func (e *MalformedError) Error() string { return "malformed recipient: " + e.Problem }
