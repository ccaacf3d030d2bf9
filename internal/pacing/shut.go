package pacing

import "time"

// Shut tells that nothing may go now, because of a gate or a halt. A push that had to wait for something else after its
// Wait asks, and waits again.
func (g *Governor) Blocked() bool {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gate.closed(now) || g.halted
}
