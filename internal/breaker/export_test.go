package breaker

import "time"

// SetClock replaces a replica's own clock; the server's is another one.
func (b *Breakers) SetClock(now func() time.Time) { b.now = now }

// SetClock replaces a replica's own clock; the server's is another one.
func (d *Deletions) SetClock(now func() time.Time) { d.now = now }
