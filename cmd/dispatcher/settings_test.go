package main

import (
	"testing"
	"time"

	"fanfare/internal/config"
)

// TestTheDispatchersOwnSettings are those that no room has: where its health is served, and how long it drains.
func TestProgramUsesItsOwnSettings(t *testing.T) {
	s := config.Defaults()
	s.HTTP.Dispatcher, s.Dispatcher.Drain = "127.0.0.1:7", 7*time.Second
	d := program(new(string))
	if d.Listen(s) != "127.0.0.1:7" || d.DrainTimeout(s) != 7*time.Second {
		t.Errorf("it listens on %s and drains for %s", d.Listen(s), d.DrainTimeout(s))
	}
}
