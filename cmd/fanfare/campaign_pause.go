package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

func (c *cli) campaignPause() *cobra.Command {
	platform := ""
	pause := func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id, reason string) (moved, error) {
		if platform == "" {
			return moveTo(campaign.Paused)(ctx, rooms, op, id, reason)
		}
		return pausePlatform(ctx, rooms, op, id, platform, reason)
	}
	command := c.campaignMove("pause", "Hold a campaign: what is in flight ends, the rest waits", pause)
	command.Flags().Func("platform", "hold only the recipients whose `platform` this is, such as ios; resume ends that too", func(text string) (err error) {
		platform, err = readPlatform(text)
		return err
	})
	return command
}

// pausePlatform holds the recipients of one platform, which the breaker alone can do.
func pausePlatform(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id, platform, reason string) (moved, error) {
	if !rooms.Settings.Breaker.Enabled {
		return moved{}, daemon.WithExitCode(daemon.ExitUsage, errors.New("breaker.enabled is false, and nobody would be kept back: set it to true, or pause the whole campaign"))
	}
	line := fmt.Sprintf("campaign %s keeps back who uses %s; let them take part again with: fanfare campaign resume %s", printable(id), platform, word(id))
	return moved{ID: id, Paused: platform, line: line}, op.PausePlatform(ctx, id, platform, reason)
}

// readPlatform spells a platform as recipients' are spelt.
func readPlatform(text string) (string, error) {
	name := notification.NormalizePlatform(text)
	if name == "" {
		return "", errors.New("is not of 1 to 32 letters a to z, digits and underscores")
	}
	return name, nil
}
