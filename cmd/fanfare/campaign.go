package main

import (
	"cmp"
	"context"
	"io"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaign() *cobra.Command {
	return group("campaign COMMAND", "Create, look at and steer campaigns",
		c.campaignCreate(), c.campaignShow(), c.campaignList(), c.campaignCheck(), c.campaignSet(),
		c.campaignStart("start", "Begin to send a campaign"),
		c.campaignPause(),
		c.campaignStart("resume", "Go on with a paused campaign"),
		c.campaignMove("cancel", "End a campaign for good: who was not sent to stays unsent", moveTo(campaign.Cancelled)),
		c.campaignDelete(),
	)
}

func (c *cli) campaignShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show CAMPAIGN",
		Short:             "Show a campaign's state, outcomes and books",
		Args:              takes,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				view, err := op.Show(ctx, args[0])
				if err != nil {
					return about(args[0], err)
				}
				if view.Spec.State == campaign.Running {
					view.Held = cmp.Or(holdsOf(ctx, rooms).on(ctx, view.Spec.State), view.Held)
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
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				views, err := op.List(ctx)
				if err != nil {
					return err
				}
				return c.output(command).show(views, func(w io.Writer) { printList(w, views) })
			})
		},
	}
}
