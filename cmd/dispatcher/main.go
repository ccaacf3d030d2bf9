// Command dispatcher drains campaigns from Redis and sends them through Firebase Cloud Messaging.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/dispatcher"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
	"fanfare/internal/threads"
)

func main() {
	threads.Relax()
	os.Exit(run())
}

func run() int {
	var campaignID string
	return program(&campaignID).Main()
}

// program serves all campaigns, or the one that its flag writes to campaignID.
func program(campaignID *string) assembly.Daemon {
	return assembly.Daemon{
		Name:  "dispatcher",
		Short: "Drain campaigns from Redis and send them through Firebase Cloud Messaging",
		Long: `Drain campaigns from Redis and send them through Firebase Cloud Messaging.

Without --campaign it serves every running campaign until it is stopped, for each Firebase project of the settings.
With it, it serves one and exits:
0 drained, 1 a fault that a restart may cure, 2 usage, configuration, a draft or another project's campaign, 3 credentials or permission,
4 the campaign expired, was cancelled, is paused or lost recipients in Redis, 5 no such campaign, 75 stopped with work left.`,
		Sections: []string{"redis", "names", "queue", "dispatcher", "campaign", "retry", "pacing", "breaker", "fcm", "tokens", "profiles", "store", "log", "http"},
		Flags: func(flags *pflag.FlagSet) {
			flags.Func("campaign", "serve the campaign of this `id` only, and exit when it is drained", func(id string) (err error) {
				if *campaignID = id; id == "" { // from an unset variable, say: it would serve all campaigns forever
					err = errors.New("the campaign id is empty")
				}
				return err
			})
		},
		Listen:       func(s config.Settings) config.Address { return s.HTTP.Dispatcher },
		DrainTimeout: func(s config.Settings) time.Duration { return s.Dispatcher.Drain },
		Job:          func() bool { return *campaignID != "" },
		Start: func(p *daemon.Process, rooms *assembly.Rooms) (func() error, error) {
			tuneGC(rooms.Settings)
			return start(p, &sending.Rooms{Rooms: rooms}, *campaignID)
		},
	}
}

// assignExitCode gives the result of a campaign's Job its exit code.
func assignExitCode(err error, campaignID string) error {
	if errors.Is(err, campaign.ErrNotFound) {
		return daemon.WithExitCode(daemon.ExitNoCampaign, err)
	}
	if isUnusable(err) {
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	if redisx.IsDenied(err) {
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	if errors.Is(err, dispatcher.ErrLeftover) {
		return daemon.WithExitCode(daemon.ExitLeftover, err)
	}
	if ended, ok := errors.AsType[*dispatcher.EndedError](err); ok {
		if ended.State == campaign.Draft {
			return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; start it with: fanfare campaign start %s", err, campaignID))
		}
		return daemon.WithExitCode(daemon.ExitStopped, err)
	}
	return err
}

// isUnusable reports whether a person has to fix the campaign: its id, spec, message or a key's
// type, or because it belongs to another project.
func isUnusable(err error) bool {
	_, id := errors.AsType[*keys.IDError](err)
	_, spec := errors.AsType[*campaign.SpecError](err)
	message := len(notification.FaultsOf(err)) > 0
	_, project := errors.AsType[*campaign.ProjectError](err)
	_, mistyped := errors.AsType[*redisx.TypeError](err)
	return id || spec || message || project || mistyped
}
