package pacing_test

import (
	"fmt"
	"time"

	"fanfare/internal/pacing"
)

// A campaign of 600,000 pushes takes a minute at FCM's default quota. The ramp adds half of its own
// length.
func ExampleState_ETA() {
	s := pacing.State{
		Now:      time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC),
		Settings: pacing.Settings{Quota: 600_000, Ramp: time.Minute},
	}
	fmt.Println(s.ETA(600_000, 0).Format("15:04:05"))
	fmt.Println(s.ETA(600_000, 1_000).Format("15:04:05")) // the campaign's own rate is 1,000 a second
	// Output:
	// 10:01:29
	// 10:10:02
}
