package main

import (
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// Each state that a list shows has a colour of its own; a draft has none.
func TestStatesHaveTheirColours(t *testing.T) {
	t.Parallel()
	held := operator.View{Spec: campaign.Spec{State: campaign.Running}, Reasons: []operator.Reason{{Kind: operator.ReasonGate, Stops: true}}}
	shown := []string{stateOf(held)}
	for _, state := range listedStates() {
		shown = append(shown, string(state))
	}
	of := map[terminal.Color]string{}
	for _, state := range shown {
		color := stateColor(state)
		if other := of[color]; other != "" {
			t.Errorf("%s and %s have the same colour", state, other)
		}
		of[color] = state
	}
	if of[terminal.Plain] != string(campaign.Draft) || of[terminal.Magenta] != stateOf(held) {
		t.Errorf("got %q", of)
	}
}
