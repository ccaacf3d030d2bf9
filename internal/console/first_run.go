package console

import (
	"fanfare/internal/fleet"
)

// firstRun is what the list shows while there is no campaign: what to do, and what was found.
type firstRun struct {
	Health  *health // nil: it is not checked
	Verdict string
	Ready   bool // everything answers
	Missing []string
}

// firstRunOf checks what a first campaign needs.
func (c *Console) firstRunOf(s *Snapshot) *firstRun {
	out := &firstRun{Health: c.health.latest(), Verdict: "Redis answers."}
	failures := int64(0)
	if out.Health != nil && out.Health.Age != "" {
		for _, line := range out.Health.Lines {
			if line.Grade == "failure" {
				failures++
			}
		}
		out.Ready = failures == 0
		out.Verdict = "All that was checked answers."
		if failures > 0 {
			out.Verdict = plural(failures, "check fails", "checks fail") + ", see beside."
		}
	}
	running := make(map[fleet.Role]bool)
	for _, p := range s.Fleet {
		running[p.Role] = true
	}
	for _, role := range []fleet.Role{fleet.Dispatcher, fleet.Responder} {
		if !running[role] {
			out.Missing = append(out.Missing, string(role))
		}
	}
	return out
}
