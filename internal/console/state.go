package console

import (
	"cmp"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// shownState is a state as the console shows it. It splits running and paused by what a person can
// do about them.
type shownState struct{ Class, Label, Icon string }

var (
	stateDraft     = shownState{"is-draft", "Draft", "i-draft"}
	stateScheduled = shownState{"is-draft", "Scheduled", "i-draft"}
	stateRunning   = shownState{"is-running", "Running", "i-running"}
	stateHeld      = shownState{"is-held", "Held", "i-held"}
	statePaused    = shownState{"is-paused", "Paused", "i-paused"}
	stateDown      = shownState{"is-broken", "Down", "i-broken"} // would run, but what it needs is down
	stateBroken    = shownState{"is-broken", "Broken", "i-broken"}
	stateCompleted = shownState{"is-completed", "Completed", "i-completed"}
	stateExpired   = shownState{"is-expired", "Expired", "i-expired"}
	stateCancelled = shownState{"is-cancelled", "Cancelled", "i-cancelled"}
)

// stateOf returns the state of a campaign.
func stateOf(c *Campaign) shownState {
	switch c.State() {
	case operator.Broken:
		return stateBroken
	case campaign.Paused:
		if c.IsTripped() {
			return stateBroken
		}
		return statePaused
	case campaign.Running:
		switch r := c.first(); {
		case r == nil || !r.Stops:
			return stateRunning
		case isDown(r):
			return stateDown
		}
		return stateHeld
	case campaign.Completed:
		return stateCompleted
	case campaign.Expired:
		return stateExpired
	case campaign.Cancelled:
		return stateCancelled
	}
	if c.State() == campaign.Scheduled {
		return stateScheduled
	}
	return stateDraft
}

// isDown reports whether a reason is that something is down, rather than that it takes its turn.
func isDown(r *operator.Reason) bool {
	switch r.Kind {
	case operator.ReasonNoDispatcher, operator.ReasonUnassigned, operator.ReasonNoAnswers:
		return true
	}
	return false
}

// first is the reason that matters most; nil if everything moves.
func (c *Campaign) first() *operator.Reason {
	if len(c.Reasons) == 0 {
		return nil
	}
	return &c.Reasons[0]
}

// tone is the colour of a reason.
func tone(r *operator.Reason) string {
	switch r.Kind {
	case operator.ReasonBroken, operator.ReasonTripped, operator.ReasonLoss, operator.ReasonUndelivered, operator.ReasonHalt, operator.ReasonUnassigned,
		operator.ReasonNoDispatcher, operator.ReasonNoResponder, operator.ReasonNoAnswers, operator.ReasonFCMErrors,
		operator.ReasonLookups, operator.ReasonRedisWrites, operator.ReasonSQLWrites, operator.ReasonWarning:
		return "is-broken"
	case operator.ReasonPaused, operator.ReasonRetriesLater, operator.ReasonWindows, operator.ReasonClockBack:
		return "is-paused"
	case operator.ReasonDraft, operator.ReasonScheduled, operator.ReasonNoMessage, operator.ReasonRate, operator.ReasonQuota:
		return ""
	}
	return "is-held"
}

func iconOf(tone string) string {
	switch tone {
	case "is-broken":
		return "i-broken"
	case "is-paused":
		return "i-paused"
	case "is-held":
		return "i-held"
	}
	return "i-info"
}

// outlook is the last column of a row for a campaign that moves or has ended.
func outlook(c *Campaign, now time.Time) (strong, text string) {
	b, s := c.Books, c.Spec
	switch s.State {
	case campaign.Completed:
		return "", fmt.Sprintf("Took %s. Ended %s.", span(s.FinishedAt.Sub(s.StartedAt)), clock(s.FinishedAt, now))
	case campaign.Expired:
		return "", fmt.Sprintf("Deadline %s. %s not reached in time.", clock(cmp.Or(s.Deadline, s.FinishedAt), now), plural(b.Expired, "person was", "people were"))
	case campaign.Cancelled:
		text = "Cancelled " + clock(s.FinishedAt, now)
		if s.CancelledBy != "" {
			text = "Cancelled by " + s.CancelledBy + " " + operator.Ago(s.FinishedAt, now)
		}
		if s.Reason != "" {
			text += ": “" + s.Reason + "”"
		}
		return "", text + "."
	}
	short, long, ok := c.Speed.Band(b.CountOpen())
	if !ok {
		return "", "Measuring its rate."
	}
	return about(short, long) + " to go.", "On its way."
}

// lastMoved is when a campaign ended, started or was created: the last of these.
func lastMoved(c *Campaign) time.Time {
	return cmp.Or(c.Spec.FinishedAt, c.Spec.StartedAt, c.Spec.CreatedAt)
}
