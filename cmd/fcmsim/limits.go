package main

import (
	"fmt"
	"io"
	"time"

	"fanfare/fcmsim"
)

// tellLimits says what the simulator holds its senders to, and how its minutes differ from real ones.
func tellLimits(w io.Writer, o fcmsim.Options) {
	minute := time.Duration(float64(time.Minute) / o.Speed)
	quota, device := o.Rules.Quota, o.Rules.Device
	if quota.PerMinute == 0 {
		fmt.Fprintln(w, "fcmsim: no quota")
	} else {
		fmt.Fprintf(w, "fcmsim: %d messages a minute for each project, refilled %s off the clock's minute\n", quota.PerMinute, quota.Offset)
	}
	if device.PerMinute > 0 {
		fmt.Fprintf(w, "fcmsim: %d messages a minute for each device\n", device.PerMinute)
	}
	if device.PerHour > 0 {
		fmt.Fprintf(w, "fcmsim: %d messages an hour for each device\n", device.PerHour)
	}
	if o.Speed != 1 {
		fmt.Fprintf(w, "fcmsim: speed %g: a minute of these limits takes %s, an hour %s; all else is in real time\n", o.Speed, minute, 60*minute)
	}
	if steps := o.Timeline.Steps; len(steps) > 0 {
		end := "once"
		if o.Timeline.Repeat > 0 {
			end = "again every " + o.Timeline.Repeat.String()
		}
		fmt.Fprintf(w, "fcmsim: a timeline of %d steps until %s, %s\n", len(steps), steps[len(steps)-1].At, end)
	}
}
