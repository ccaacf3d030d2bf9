package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/live"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// wantCampaignOrTerminal allows to leave out the campaign where all of them can be drawn.
func wantCampaignOrTerminal(c *cli) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) > 1 {
			return wrongUsage(command, errors.New("watch takes one CAMPAIGN, or none for all; "+plural(int64(len(args)), "argument")+" given"))
		}
		if len(args) == 1 {
			return nil
		}
		instead := "list them with: fanfare campaign list; or follow one with: fanfare watch CAMPAIGN"
		switch {
		case c.asJSON:
			return wrongUsage(command, errors.New("all campaigns are drawn on a terminal, not as JSON; "+instead))
		case !terminal.IsInput(command.InOrStdin()) || !terminal.Is(command.OutOrStdout()):
			return wrongUsage(command, errors.New("all campaigns are drawn on a terminal, and there is none here; "+instead))
		case os.Getenv("TERM") == "dumb":
			return wrongUsage(command, errors.New("all campaigns are drawn on a whole screen, which this terminal does not have (TERM is dumb); "+instead))
		}
		return nil
	}
}

// watchAll shows all campaigns on the whole terminal until the person quits.
func watchAll(ctx context.Context, command *cobra.Command, rooms *sending.Rooms, op *operator.Operator, every time.Duration) error {
	out := command.OutOrStdout()
	return live.Run(ctx, op, live.Options{
		Input: command.InOrStdin(), Output: terminal.Raw(out), Colors: terminal.HasColors(out), Every: every,
		Paces: findPaces(ctx, rooms), Explain: explainCampaign,
		StateColor: func(v operator.View) terminal.Color { return stateColor(stateOf(v)) },
	})
}
