package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/dispatcher"
	"fanfare/internal/redisx"
)

// reply is an error reply of Redis.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{errors.New("connection refused"), daemon.ExitFault},
		{&redisx.TypeError{Key: "campaign:42"}, daemon.ExitUsage},
		{&dispatcher.EndedError{State: campaign.Draft}, daemon.ExitUsage},
		{reply("NOAUTH Authentication required."), daemon.ExitCredentials},
		{&dispatcher.EndedError{State: campaign.Paused}, daemon.ExitStopped},
		{&dispatcher.EndedError{State: campaign.Cancelled}, daemon.ExitStopped},
		{&dispatcher.EndedError{State: campaign.Expired}, daemon.ExitStopped},
		{campaign.ErrNotFound, daemon.ExitNoCampaign},
		{dispatcher.ErrLeftover, daemon.ExitLeftover},
	} {
		if code := daemon.ExitCode(assignExitCode(c.err, "42")); code != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, code, c.want)
		}
	}
	draft := assignExitCode(&dispatcher.EndedError{State: campaign.Draft}, "42")
	if daemon.ExitCode(draft) != daemon.ExitUsage || !strings.Contains(draft.Error(), "fanfare campaign start 42") {
		t.Errorf("a draft: %v, want how to start it", draft)
	}
	missing := assignExitCode(&dispatcher.EndedError{State: campaign.Completed, Reason: "3 went missing"}, "42")
	if daemon.ExitCode(missing) != daemon.ExitStopped {
		t.Errorf("completed without everyone: exit code %d, want %d", daemon.ExitCode(missing), daemon.ExitStopped)
	}
}

// These settings belong to the program and not to a room.
func TestProgramUsesItsOwnSettings(t *testing.T) {
	s := config.Defaults()
	s.HTTP.Dispatcher, s.Dispatcher.Drain = "127.0.0.1:7", 7*time.Second
	d := program(new(string))
	if d.Listen(s) != "127.0.0.1:7" || d.DrainTimeout(s) != 7*time.Second {
		t.Errorf("it listens on %s and drains for %s", d.Listen(s), d.DrainTimeout(s))
	}
}
