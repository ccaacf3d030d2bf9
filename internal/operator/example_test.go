package operator_test

import (
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func ExamplePace() {
	start := time.Date(2030, 1, 31, 18, 0, 0, 0, time.UTC)
	view := operator.View{Spec: campaign.Spec{ID: "42", State: campaign.Running}}
	var pace operator.Pace
	var p operator.Progress
	for second := range 6 {
		sent := int64(second) * 100
		view.Books = campaign.Books{Loaded: 1500, Sent: sent, Waiting: 1500 - sent}
		p = pace.Observe(start.Add(time.Duration(second)*time.Second), view)
	}
	fmt.Printf("%s per second, %s left\n", operator.Decimal(p.Rate), operator.Span(p.Left))
	// Output: 100 per second, 10s left
}
