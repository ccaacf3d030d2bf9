package breaker

import "time"

// SetClock replaces a replica's own clock; the server's is another one.
func (b *Breakers) SetClock(now func() time.Time) { b.now = now }

// Known is how many campaigns are remembered.
func (b *Breakers) Known() int { return len(b.known) }

// Merge adds another report.
func (t *Report) Merge(other Report) { t.merge(other) }

// SetClock replaces a replica's own clock; the server's is another one.
func (d *Deletions) SetClock(now func() time.Time) { d.now = now }
