package campaign

import (
	"fmt"
	"slices"

	"fanfare/internal/terminal"
)

// State is where a campaign stands.
type State string

// The states; docs/states.md has the picture.
const (
	Draft     State = "draft"     // written, not started
	Running   State = "running"   // recipients are claimed
	Paused    State = "paused"    // recipients wait
	Completed State = "completed" // every recipient has ended
	Cancelled State = "cancelled" // given up; waiting recipients are not sent to
	Expired   State = "expired"   // the deadline passed before every recipient was served
)

// Scheduled is what a Draft that starts by itself is called. It is displayed, and never stored.
const Scheduled State = "scheduled"

// States lists every State in the order of a campaign's life.
var States = []State{Draft, Running, Paused, Completed, Cancelled, Expired}

// These are never stored. A TransitionError names them as the target of a refused action.
const (
	deleted   State = "deleted"   // Delete
	rewritten State = "rewritten" // a Change of the message

	rescheduled State = "rescheduled" // a Change of the time of its start
)

// transitions is the table of allowed changes. The scripts receive the part that they need.
var transitions = map[State][]State{
	Draft:     {Running, Cancelled},
	Running:   {Paused, Completed, Cancelled, Expired},
	Paused:    {Running, Cancelled, Expired},
	Completed: {Running}, // recipients came late, were appended or replayed
	Cancelled: {},
	Expired:   {},
}

// Next lists the states that may follow s.
func (s State) Next() []State { return slices.Clone(transitions[s]) }

// IsFinal reports whether no state can follow s.
func (s State) IsFinal() bool { return s.isValid() && len(transitions[s]) == 0 }

// HasEnded reports whether the campaign is over, so that its keys live only for Options.Retention.
func (s State) HasEnded() bool { return s == Completed || s.IsFinal() }

// canRewrite reports whether the message may still be replaced: the campaign is not sending, and
// may send later.
func (s State) canRewrite() bool { return s == Draft || s == Paused }

func (s State) isValid() bool { _, known := transitions[s]; return known }

// predecessors lists the states that may come before s, in the order of States.
func (s State) predecessors() []State {
	var all []State
	for _, from := range States {
		if slices.Contains(transitions[from], s) {
			all = append(all, from)
		}
	}
	return all
}

// selectStates lists the states that have a property, as script arguments.
func selectStates(holds func(State) bool) []any {
	var all []any
	for _, s := range States {
		if holds(s) {
			all = append(all, string(s))
		}
	}
	return all
}

// TransitionError refuses a change of state that the table does not allow. Nothing was changed.
type TransitionError struct {
	ID       string
	From, To State
}

func (e *TransitionError) Error() string {
	switch {
	case e.To == deleted:
		return fmt.Sprintf("campaign %s is %s: pause or cancel it before it is deleted", terminal.Printable(e.ID), e.From)
	case e.To == rescheduled:
		return fmt.Sprintf("campaign %s is %s: only a draft can be scheduled to start", terminal.Printable(e.ID), e.From)
	case e.To == rewritten && e.From == Running:
		return fmt.Sprintf("campaign %s is %s: pause it before its message is replaced", terminal.Printable(e.ID), e.From)
	case e.To == rewritten:
		return fmt.Sprintf("campaign %s is %s: only a draft or a paused campaign gets another message", terminal.Printable(e.ID), e.From)
	case e.From.IsFinal():
		return fmt.Sprintf("campaign %s is %s for good, and cannot become %s", terminal.Printable(e.ID), e.From, e.To)
	default:
		return fmt.Sprintf("campaign %s is %s, and cannot become %s", terminal.Printable(e.ID), e.From, e.To)
	}
}
