package main

import (
	"errors"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/dispatcher"
	"fanfare/internal/queue"
)

// reply is an error that Redis answers with.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{errors.New("connection refused"), daemon.ExitFault},
		{&queue.TypeError{Key: "campaign:42"}, daemon.ExitUsage},
		{&dispatcher.EndedError{State: campaign.Draft}, daemon.ExitUsage},
		{reply("NOAUTH Authentication required."), daemon.ExitCredentials},
		{&dispatcher.EndedError{State: campaign.Paused}, daemon.ExitStopped},
		{&dispatcher.EndedError{State: campaign.Cancelled}, daemon.ExitStopped},
		{&dispatcher.EndedError{State: campaign.Expired}, daemon.ExitStopped},
		{campaign.ErrNotFound, daemon.ExitNoCampaign},
		{dispatcher.ErrLeftover, daemon.ExitLeftover},
	} {
		if code := daemon.Code(exit(c.err)); code != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, code, c.want)
		}
	}
}
