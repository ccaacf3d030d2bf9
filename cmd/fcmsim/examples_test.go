package main

import (
	"testing"

	"fanfare/fcmsim"
)

// The timeline of docs/simulator.md gates the project once, and then lets it recover.
func TestExampleTimelineGatesAndRecovers(t *testing.T) {
	timeline, err := readTimeline("../../examples/timeline.json", flagRules{})
	if err != nil {
		t.Fatal(err)
	}
	var gates []int
	for i, step := range timeline.Steps {
		for _, o := range step.Rules.Outcomes {
			if o.Code == fcmsim.CodeQuotaExceeded && o.RetryAfter != "" {
				gates = append(gates, i)
			}
		}
	}
	last := len(timeline.Steps) - 1
	if len(gates) != 1 || gates[0] == 0 || gates[0] == last || len(timeline.Steps[last].Rules.Outcomes) > 0 {
		t.Errorf("429 in steps %v of %d: want it in one, and sound steps around it", gates, len(timeline.Steps))
	}
}
