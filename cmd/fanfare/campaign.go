package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaign() *cobra.Command {
	return group("campaign COMMAND", "Create, view and control campaigns",
		c.campaignCreate(), c.campaignShow(), c.campaignList(), c.campaignCheck(), c.campaignSet(),
		c.campaignStart("start", "Start to send a campaign"),
		c.campaignPause(),
		c.campaignStart("resume", "Resume a paused campaign"),
		c.campaignMove("cancel", "End a campaign for good: the remaining recipients are not sent to", moveTo(campaign.Cancelled)),
		c.campaignDelete(),
	)
}

func (c *cli) campaignShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show CAMPAIGN",
		Short:             "Show a campaign's state, outcomes and books",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				view, err := op.Show(ctx, args[0])
				if err != nil {
					return explainCampaign(args[0], err)
				}
				if view.Spec.State == campaign.Running {
					view.Held = cmp.Or(newHolds(ctx, rooms).find(ctx, view.Spec.State), view.Held)
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
		Args:  wantArgs,
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

func (c *cli) campaignDelete() *cobra.Command {
	options := operator.DeleteOptions{Wait: operator.DefaultDeleteWait}
	command := &cobra.Command{
		Use:   "delete CAMPAIGN",
		Short: "Delete a campaign that does not run, with all its keys in Redis; its rows in SQL stay",
		Long: `Delete a campaign that does not run, with all its keys in Redis; its rows in SQL stay.

It waits for pushes in flight, so that each has its result. Those without one after the wait are counted.`,
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			if err := checkRange(command, "wait", options.Wait, 0, maxPatience); err != nil {
				return err
			}
			options.Waiting = func(b campaign.Books) {
				fmt.Fprintf(command.ErrOrStderr(), "waiting %s at most for %s in flight and %s to be forwarded\n",
					operator.Span(options.Wait.Round(time.Second)), plural(b.InFlight, "recipient"), plural(b.Outbox, "result"))
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				deleted, err := op.Delete(ctx, args[0], options)
				if err != nil {
					return explainCampaign(args[0], err)
				}
				return c.output(command).done(deletedView{args[0], true, deleted}, "%s", deletedText(args[0], deleted))
			})
		},
	}
	command.Flags().DurationVar(&options.Wait, "wait", options.Wait, "how long to wait for pushes in flight and for their results")
	return command
}

// deletedView is the JSON of a deleted campaign.
type deletedView struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
	operator.Deletion
}

func deletedText(id string, d operator.Deletion) string {
	text := "deleted campaign " + printable(id)
	if d.Unsent > 0 {
		text += fmt.Sprintf("; %s were not sent to", plural(d.Unsent, "recipient"))
	}
	if d.WithoutResult > 0 {
		text += fmt.Sprintf("; %s in flight ended without a result, and may have been sent to", plural(d.WithoutResult, "recipient"))
	}
	if d.Unforwarded > 0 {
		text += fmt.Sprintf("; %s did not reach the responder", plural(d.Unforwarded, "result"))
	}
	return text
}
