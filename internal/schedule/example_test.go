package schedule_test

import (
	"fmt"
	"time"

	"fanfare/internal/schedule"
)

// A recipient in Kolkata, where it is past nine in the evening, is next sent to in their morning.
func ExampleRules_Next() {
	windows, err := schedule.ParseWindows("mon-fri 09:00-21:00")
	if err != nil {
		panic(err)
	}
	zone, err := schedule.ParseZone("Asia/Kolkata")
	if err != nil {
		panic(err)
	}
	rules := schedule.Rules{Windows: windows}
	thursday := time.Date(2031, 1, 2, 16, 0, 0, 0, time.UTC)
	turn, ok := rules.Next(thursday, zone, time.Time{})
	fmt.Println(turn.Opens.In(zone).Format("Monday 15:04"), turn.Closes.In(zone).Format("15:04"), ok)
	// Output: Friday 09:00 21:00 true
}
