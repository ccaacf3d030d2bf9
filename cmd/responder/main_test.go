package main

import (
	"testing"
	"time"

	"fanfare/internal/config"
)

// These settings belong to the program and not to a room.
func TestProgramUsesItsOwnSettings(t *testing.T) {
	s := config.Defaults()
	s.HTTP.Responder, s.Responder.Drain = "127.0.0.1:7", 7*time.Second
	d := program()
	if d.Listen(s) != "127.0.0.1:7" || d.DrainTimeout(s) != 7*time.Second {
		t.Errorf("it listens on %s and drains for %s", d.Listen(s), d.DrainTimeout(s))
	}
}
