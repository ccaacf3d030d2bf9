package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

func (c *cli) campaign() *cobra.Command {
	return group("campaign COMMAND", "Create, view and control campaigns",
		c.campaignCreate(), c.campaignShow(), c.campaignList(), c.campaignCheck(), c.campaignTest(), c.campaignPreview(), c.campaignSet(),
		c.campaignStart("start", "Start to send a campaign"),
		c.campaignPause(),
		c.campaignStart("resume", "Resume a paused campaign"),
		c.campaignCancel(),
		c.campaignHistory(), c.campaignReport(), c.campaignExport(), c.campaignDelete(),
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
				paces := findPaces(ctx, rooms)
				op.Explain(ctx, &view, paces)
				if view.History, err = recentHistory(ctx, op, args[0]); err != nil {
					return err
				}
				view.Waves = planOf(ctx, op, view, paces)
				out := c.output(command)
				return out.show(view, func(io.Writer) {
					printView(out, view)
					printHours(out, view.Waves)
					printRecentHistory(out, args[0], view.History)
				})
			})
		},
	}
}

func (c *cli) campaignList() *cobra.Command {
	state, search := "", ""
	command := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List all campaigns, and the lists that wait for a message",
		Long: `List all campaigns, and the lists that wait for a message.

RATE and ETA of running campaigns are estimates, from FCM's answers of the last minute to all dispatchers. They are unknown for the first
seconds of a campaign, and while it is held.`,
		Example: "  fanfare campaign list --state running\n  fanfare campaign list -o wide\n  fanfare campaign list -o json",
		Args:    wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if state != "" && !slices.Contains(listedStates(), campaign.State(state)) {
				return wrongUsage(command, fmt.Errorf("there is no state %q: use one of %v", state, listedStates()))
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				views, err := op.List(ctx)
				if err != nil {
					return err
				}
				op.ExplainAll(ctx, views, findPaces(ctx, rooms)) // with all others: one that is not listed may go first
				views = slices.DeleteFunc(views, func(v operator.View) bool { return !isListed(v, campaign.State(state), search) })
				out := c.output(command)
				return out.show(views, func(w io.Writer) {
					if len(views) == 0 && (state != "" || search != "") {
						fmt.Fprintln(w, "no campaign matches")
						return
					}
					printList(out, views)
					if r := op.ExplainResults(ctx); r != nil {
						printReason(out, "", explainReason(*r, time.Now()), r.Next)
					}
				})
			})
		},
	}
	command.Flags().StringVar(&state, "state", "", "only campaigns in this `state`, such as running")
	command.Flags().StringVar(&search, "search", "", "only campaigns whose id or name has this `text`")
	return command
}

// listedStates are the states that a list shows.
func listedStates() []campaign.State { return append(slices.Clone(campaign.States), operator.Broken) }

// isListed reports whether a campaign is in a state, and has a text in its id or name in any case.
func isListed(v operator.View, state campaign.State, search string) bool {
	holds := func(text string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(search)) }
	return (state == "" || v.State() == state) && (holds(v.Spec.ID) || holds(v.Spec.Name))
}

func (c *cli) campaignDelete() *cobra.Command {
	options := operator.DeleteOptions{Wait: operator.DefaultDeleteWait}
	var question confirmation
	command := &cobra.Command{
		Use:     "delete CAMPAIGN",
		Aliases: []string{"rm"},
		Short:   "Delete a campaign that does not run, with all its keys in Redis; its rows in SQL stay",
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
				if question.isNeeded(c, command) {
					if err := confirmDelete(ctx, command, &question, op, args[0]); err != nil {
						return err
					}
				}
				deleted, err := op.Delete(ctx, args[0], options)
				if err != nil {
					return explainCampaign(args[0], err)
				}
				return c.output(command).done(deletedView{args[0], true, deleted}, "%s", deletedText(args[0], deleted))
			})
		},
	}
	question.addTo(command.Flags())
	command.Flags().DurationVar(&options.Wait, "wait", options.Wait, "how long to wait for pushes in flight and for their results")
	return command
}

// confirmDelete asks before a deletion. A campaign that cannot be read, or that runs, is left to
// Delete, which says what is wrong.
func confirmDelete(ctx context.Context, command *cobra.Command, question *confirmation, op *operator.Operator, id string) error {
	view, err := op.Show(ctx, id)
	if err != nil || view.Spec.State == campaign.Running {
		return nil //nolint:nilerr // see above
	}
	b := view.Books
	return question.ask(command, fmt.Sprintf("Delete campaign %s from Redis?", printable(id)),
		plural(b.Waiting+b.Retrying, "recipient")+" will never be sent to", plural(b.CountEnded(), "recipient")+" ended; only SQL keeps their outcomes")
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
