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
	for want, err := range map[int]error{
		daemon.ExitFault:       errors.New("connection refused"),
		daemon.ExitUsage:       &queue.TypeError{Key: "campaign:42"},
		daemon.ExitCredentials: reply("NOAUTH Authentication required."),
		daemon.ExitStopped:     &dispatcher.EndedError{State: campaign.Paused},
		daemon.ExitNoCampaign:  campaign.ErrNotFound,
		daemon.ExitLeftover:    dispatcher.ErrLeftover,
	} {
		if code := daemon.Code(exit(err)); code != want {
			t.Errorf("%v: exit code %d, want %d", err, code, want)
		}
	}
}
