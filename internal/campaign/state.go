package campaign

import "slices"

// State is where a campaign stands.
type State string

// The states; docs/states.md has the picture.
const (
	Draft     State = "draft"     // written, not started
	Running   State = "running"   // recipients are claimed
	Paused    State = "paused"    // recipients wait
	Completed State = "completed" // every recipient has ended
	Cancelled State = "cancelled" // given up; who waited is not sent to
	Expired   State = "expired"   // the deadline came before somebody's turn
)

// States lists every State in the order of a campaign's life.
var States = []State{Draft, Running, Paused, Completed, Cancelled, Expired}

// What is no state that is ever stored, but names in errors where something leads.
const (
	deleted   State = "deleted"   // Delete
	rewritten State = "rewritten" // a Change of the message
)

// transitions is the one table of what may follow what. The scripts are given their part of it.
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

// Final tells that no state follows s.
func (s State) Final() bool { return s.valid() && len(transitions[s]) == 0 }

// Ended tells that the campaign's keys are kept for Options.Retention only.
func (s State) Ended() bool { return s == Completed || s.Final() }

// rewritable tells that nobody is sent to, and somebody may be: the message can still be another one.
func (s State) rewritable() bool { return s == Draft || s == Paused }

func (s State) valid() bool { _, known := transitions[s]; return known }

// before lists the states that may come before s, in the order of States.
func (s State) before() []State {
	var all []State
	for _, from := range States {
		if slices.Contains(transitions[from], s) {
			all = append(all, from)
		}
	}
	return all
}

// selectStates lists the states for which a property holds, as arguments of a script.
func selectStates(holds func(State) bool) []any {
	var all []any
	for _, s := range States {
		if holds(s) {
			all = append(all, string(s))
		}
	}
	return all
}
