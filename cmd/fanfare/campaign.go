package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaign() *cobra.Command {
	return group("campaign COMMAND", "Create, look at and steer campaigns",
		c.campaignCreate(), c.campaignShow(), c.campaignList(),
		c.campaignMove("start", "Begin to send a campaign", campaign.Running),
		c.campaignMove("pause", "Hold a campaign: what is in flight ends, the rest waits", campaign.Paused),
		c.campaignMove("resume", "Go on with a paused campaign", campaign.Running),
		c.campaignMove("cancel", "End a campaign for good: who was not sent to stays unsent", campaign.Cancelled),
		c.campaignDelete(),
	)
}

func (c *cli) campaignCreate() *cobra.Command {
	var message, onAmbiguous, name string
	weight := 1
	command := &cobra.Command{
		Use:   "create CAMPAIGN --message FILE|-",
		Short: "Create a campaign as a draft, after checking its message as FCM would",
		Long: `Create a campaign as a draft, after checking its message as FCM would.

The file holds the "message" object of FCM's HTTP v1 API as JSON, without a target. {{name}} or {{name|default}} in title,
body, image, link and data is filled in for each recipient, from the audience's columns and then from the profile.`,
		Example: "  fanfare campaign create 42 --message message.json",
		Args:    takes,
		RunE: func(command *cobra.Command, args []string) error {
			if message == "" {
				return wrongUsage(command, errors.New("no message: give --message FILE, or - for standard input"))
			}
			text, err := readInput(command, message)
			if err != nil {
				return err
			}
			spec := campaign.Spec{
				ID: args[0], Message: text, Name: name, OnAmbiguous: campaign.OnAmbiguous(onAmbiguous), Weight: weight,
			}
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				if err := op.Create(ctx, spec); err != nil {
					return err
				}
				return c.output(command).done(map[string]any{"id": args[0], "state": campaign.Draft},
					"created campaign %s as a draft; next: fanfare load %[1]s FILE, then fanfare campaign start %[1]s", args[0])
			})
		},
	}
	f := command.Flags()
	f.StringVar(&message, "message", "", "`file` with FCM's message as JSON, without a target; - is standard input")
	f.StringVar(&onAmbiguous, "on-ambiguous", string(campaign.Resend), "what becomes of a recipient whose outcome is unknown: `resend` (at least once) or report (at most once)")
	f.StringVar(&name, "name", "", "a name for people")
	f.IntVar(&weight, "weight", weight, "`share` of the pool, against other running campaigns")
	return command
}

func (c *cli) campaignShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show CAMPAIGN",
		Short:             "Show a campaign's state, outcomes and books",
		Args:              takes,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				view, err := op.Show(ctx, args[0])
				if err != nil {
					return err
				}
				return c.output(command).show(view, func(w io.Writer) { printView(w, view) })
			})
		},
	}
}

func (c *cli) campaignList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all campaigns, and the lists that wait for a message",
		Args:  takes,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				views, err := op.List(ctx)
				if err != nil {
					return err
				}
				return c.output(command).show(views, func(w io.Writer) { printList(w, views) })
			})
		},
	}
}

// campaignMove makes a command that puts a campaign into another state.
func (c *cli) campaignMove(verb, short string, to campaign.State) *cobra.Command {
	reason := ""
	command := &cobra.Command{
		Use:               verb + " CAMPAIGN",
		Short:             short,
		Args:              takes,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				if err := rooms.Campaigns.Move(ctx, args[0], to, reason); err != nil {
					return err
				}
				return c.output(command).done(map[string]any{"id": args[0], "state": to}, "campaign %s is %s", args[0], to)
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "a `text` kept with the campaign, for whoever looks at it later")
	return command
}

func (c *cli) campaignDelete() *cobra.Command {
	return &cobra.Command{
		Use:               "delete CAMPAIGN",
		Short:             "Delete a campaign that does not run, with all its keys in Redis; its rows in SQL stay",
		Args:              takes,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, op *operator.Operator) error {
				if _, err := op.Show(ctx, args[0]); errors.Is(err, campaign.ErrNotFound) {
					return err
				}
				if err := rooms.Campaigns.Delete(ctx, args[0]); err != nil {
					return err
				}
				return c.output(command).done(map[string]any{"id": args[0], "deleted": true}, "deleted campaign %s", args[0])
			})
		},
	}
}

// completeCampaign offers the campaigns that there are.
func (c *cli) completeCampaign(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if len(args) == 0 {
		_ = c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
			views, err := op.List(ctx)
			for _, v := range views {
				ids = append(ids, fmt.Sprintf("%s\t%s", v.Spec.ID, stateOf(v)))
			}
			return err
		}) // without Redis there is nothing to offer
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
