package main

import (
	"context"
	"fmt"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// holds finds out what stops a project's pushes. The zero holds finds nothing, because its project
// is unknown.
type holds struct{ governor *pacing.Governor }

// newHolds never fails, because the hold is only a remark beside the answer.
func newHolds(ctx context.Context, rooms *sending.Rooms) holds {
	if !rooms.Settings.Pacing.Enabled {
		return holds{}
	}
	project, err := rooms.FindProject(ctx)
	if err != nil {
		return holds{}
	}
	governor, err := rooms.NewGovernor(project, whoami(), nil)
	if err != nil {
		return holds{}
	}
	return holds{governor}
}

// find returns what stops a running campaign, or nil.
func (h holds) find(ctx context.Context, state campaign.State) *operator.Held {
	if h.governor == nil || state != campaign.Running {
		return nil
	}
	now, err := h.governor.State(ctx)
	if err != nil {
		return nil
	}
	return operator.WhyHeld(now)
}

// heldText says in a few words what stops a campaign.
func heldText(h *operator.Held) string {
	switch {
	case h == nil:
		return ""
	case h.By == operator.HeldByGate:
		return "the gate is closed until " + clockTime(h.Until)
	case h.By == operator.HeldByQuarterHour:
		return "a quarter hour is avoided until " + clockTime(h.Until)
	case h.By == operator.HeldByProject:
		return "waits for a dispatcher of its project"
	case h.By == operator.HeldBySilence:
		return "on hold since " + clockTime(h.Since)
	case h.Reason == closedByHand:
		return "the gate is closed since " + clockTime(h.Since)
	}
	return "the project is halted since " + clockTime(h.Since)
}

// heldExplanation adds the cause and what ends the hold.
func heldExplanation(h *operator.Held) string {
	text := heldText(h)
	switch {
	case h == nil || h.By == operator.HeldByQuarterHour:
		return text
	case h.By == operator.HeldByGate:
		return fmt.Sprintf("%s (%s), and opens by itself", text, h.Reason)
	case h.Reason == closedByHand:
		return text + ", until: fanfare quota open"
	case h.By == operator.HeldBySilence, h.By == operator.HeldByProject:
		return text + ": " + h.Reason
	case h.EndsByItself:
		return fmt.Sprintf("%s (%s), and resumes when FCM answers a probe; or: fanfare project resume", text, h.Reason)
	}
	return fmt.Sprintf("%s (%s), until: fanfare project resume", text, h.Reason)
}
