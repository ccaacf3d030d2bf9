package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
	"fanfare/internal/terminal"
)

// question asks before an action, with the effect in numbers. All its texts are printable.
type question struct {
	id      string
	text    string
	effects []string
	done    string // what is said afterwards
	do      func(ctx context.Context, system System) error
}

// askMove asks whether to pause or to resume a campaign. In other states it says what to do.
func askMove(r row) (asked *question, notice string) {
	id, b := r.Spec.ID, r.Books
	who := "campaign " + terminal.Printable(id)
	ended := count(b.CountEnded(), "recipient") + " ended already, unchanged"
	switch r.Spec.State {
	case campaign.Running:
		return &question{
			id: id, text: "Pause " + who + "?", done: who + " is paused.",
			effects: []string{count(b.Waiting+b.Retrying, "recipient") + " not sent to until it is resumed", count(b.InFlight, "recipient") + " in flight will finish", ended},
			do:      func(ctx context.Context, system System) error { return system.Pause(ctx, id, "") },
		}, ""
	case campaign.Paused:
		return &question{
			id: id, text: "Resume " + who + "?", done: who + " is running.",
			effects: []string{count(b.CountOpen(), "recipient") + " will be sent to; it begins with a new canary", ended},
			do:      func(ctx context.Context, system System) error { return system.Start(ctx, id, operator.StartOptions{}) },
		}, ""
	case campaign.Draft:
		return nil, "It has not started. Start it with: fanfare campaign start " + r.shellID()
	case "":
		return nil, "It waits for a message, and cannot be paused."
	}
	return nil, fmt.Sprintf("It is %s: only a running or a paused campaign can change.", r.Spec.State)
}

// askPriority asks whether to give a campaign another priority, and names who is served first then.
func askPriority(r row, priority int, all []row) (asked *question, notice string) {
	id, who := r.Spec.ID, "campaign "+terminal.Printable(r.Spec.ID)
	switch {
	case r.Spec.State == "" || r.Spec.State.HasEnded():
		return nil, "Its priority cannot change: it is " + r.word() + "."
	case priority == r.Spec.Priority:
		return nil, fmt.Sprintf("Its priority is %d already; it goes from 0 to %d.", priority, campaign.MaxPriority)
	}
	return &question{
		id: id, text: fmt.Sprintf("Change the priority of %s from %d to %d?", who, r.Spec.Priority, priority),
		done: fmt.Sprintf("The priority of %s is %d.", who, priority),
		effects: []string{
			"served before all of a lower priority: " + describeRunning(all, id, func(other int) bool { return other < priority }),
			"served after all of a higher one: " + describeRunning(all, id, func(other int) bool { return other > priority }),
		},
		do: func(ctx context.Context, system System) error {
			return system.Change(ctx, id, campaign.Change{Priority: &priority})
		},
	}, ""
}

// describeRunning counts the other running campaigns of some priorities, and their recipients.
func describeRunning(all []row, id string, matches func(priority int) bool) string {
	var campaigns, recipients int64
	for _, r := range all {
		if r.Spec.ID != id && r.Spec.State == campaign.Running && matches(r.Spec.Priority) {
			campaigns++
			recipients += r.Books.CountOpen()
		}
	}
	return count(campaigns, "running campaign") + ", " + count(recipients, "recipient") + " to go"
}

// actedMsg says what became of an action.
type actedMsg struct{ notice string }

// act does what a question asked.
func (c *client) act(asked question) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(c.ctx, snapshotTimeout)
		defer cancel()
		if err := asked.do(ctx, c.system); err != nil {
			return actedMsg{"Not done: " + errorText(c.explain(asked.id, err))}
		}
		return actedMsg{asked.done}
	}
}

// errorText is an error in one printable line without secrets.
func errorText(err error) string { return terminal.Printable(redact.Text(err.Error())) }

// count formats a count with its noun.
func count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return operator.Thousands(n) + " " + noun
}

// title is a campaign's id with its name, if it has one.
func (r row) title() string {
	if r.Spec.Name == "" || r.Spec.Name == r.Spec.ID {
		return terminal.Printable(r.Spec.ID)
	}
	return terminal.Printable(r.Spec.ID) + " " + terminal.Printable(r.Spec.Name)
}

// shellID is a campaign's id as it must be typed in a shell.
func (r row) shellID() string { return terminal.Printable(campaign.ShellQuote(r.Spec.ID)) }

// word is a campaign's state in one word. A running campaign of which nothing moves is held, unless
// only retries are left.
func (r row) word() string {
	stops := func(reason operator.Reason) bool { return reason.Stops && reason.Kind != operator.ReasonRetriesLater }
	if r.Err == nil && r.Spec.State == campaign.Running && slices.ContainsFunc(r.Reasons, stops) {
		return "held"
	}
	return cmp.Or(string(r.State()), "waiting")
}
