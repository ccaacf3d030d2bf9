package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaignPause() *cobra.Command {
	command := c.campaignMove("pause", "Hold a campaign: what is in flight ends, the rest waits", campaign.Paused)
	pauseAll := command.RunE
	platform := ""
	command.Flags().StringVar(&platform, "platform", "", "hold only the recipients whose `platform` this is, such as ios; resume ends that too")
	command.RunE = func(command *cobra.Command, args []string) error {
		if !command.Flags().Changed("platform") {
			return pauseAll(command, args)
		}
		return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
			platform := strings.ToLower(platform)
			if err := op.PausePlatform(ctx, args[0], platform, command.Flag("reason").Value.String()); err != nil {
				return about(args[0], err)
			}
			return c.output(command).done(map[string]any{"id": args[0], "paused": platform},
				"campaign %s keeps back who uses %s; let them take part again with: fanfare campaign resume %[1]s", args[0], platform)
		})
	}
	return command
}
