package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// move changes a campaign's state. People can read the reason later.
type move func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id, reason string) (moved, error)

// moved is the result of a move, as JSON and as a line for people.
type moved struct {
	ID     string         `json:"id"`
	State  campaign.State `json:"state,omitempty"`
	Paused string         `json:"paused,omitempty"` // the platform, if only one is paused
	line   string
}

// startMove starts or resumes a campaign. It reads partial and late when it runs.
func startMove(partial, late *bool) move {
	return func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id, reason string) (moved, error) {
		if err := op.Start(ctx, id, operator.StartOptions{Reason: reason, Partial: *partial, Late: *late, Pace: findPaces(ctx, rooms)}); err != nil {
			return moved{}, err
		}
		view, err := op.Show(ctx, id)
		if err != nil {
			return moved{}, err
		}
		line := fmt.Sprintf("campaign %s is %s; follow it with: fanfare watch %s", printable(id), campaign.Running, shellWord(id))
		if at := view.Deadline(); !at.IsZero() && at.Before(time.Now()) {
			line += fmt.Sprintf("\nits deadline passed at %s: the remaining recipients end as expired", localTime(at))
		}
		for _, loss := range view.Losses() {
			line += "\n" + loss.What
		}
		if view.HasWaves() && view.Books.Load.IsHeld() {
			line += fmt.Sprintf("\nits load is held back at %s: whether the rest of the audience fits into the windows is not known", plural(view.Books.Interrupted, "recipient"))
		}
		return moved{ID: id, State: campaign.Running, line: line}, nil
	}
}

// campaignStart makes the command that starts or resumes.
func (c *cli) campaignStart(verb, short string) *cobra.Command {
	partial, late := false, false
	command := c.campaignMove(verb, short, startMove(&partial, &late))
	command.Flags().BoolVar(&late, "late", false, "start a draft although recipients do not fit into their windows; those wait for the next window, or expire")
	command.Flags().BoolVar(&partial, "partial", false, "start although recipients are missing or a load has not finished; those are not sent to")
	return command
}

func moveTo(to campaign.State) move {
	return func(ctx context.Context, rooms *sending.Rooms, _ *operator.Operator, id, reason string) (moved, error) {
		return moved{ID: id, State: to, line: fmt.Sprintf("campaign %s is %s", printable(id), to)}, rooms.Campaigns.Move(ctx, id, to, reason)
	}
}

// campaignMove makes the command of a move.
func (c *cli) campaignMove(verb, short string, move move) *cobra.Command {
	reason := ""
	command := &cobra.Command{
		Use:               verb + " CAMPAIGN",
		Short:             short,
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				moved, err := move(ctx, rooms, op, args[0], reason)
				if err != nil {
					return explainMove(ctx, op, args[0], err)
				}
				return c.output(command).done(moved, "%s", moved.line)
			})
		},
	}
	addReason(command.Flags(), &reason, "a `text` kept with the campaign, for others to read")
	return command
}

// campaignCancel makes the command that ends a campaign for good. It asks a person first.
func (c *cli) campaignCancel() *cobra.Command {
	var question confirmation
	var command *cobra.Command
	command = c.campaignMove("cancel", "End a campaign for good: the remaining recipients are not sent to",
		func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id, reason string) (moved, error) {
			if question.isNeeded(c, command) {
				view, err := op.Show(ctx, id)
				if err != nil {
					return moved{}, err
				}
				b := view.Books
				err = question.ask(command, fmt.Sprintf("Cancel campaign %s for good?", printable(id)),
					plural(b.Waiting+b.Retrying, "recipient")+" will not be sent to", plural(b.InFlight, "recipient")+" in flight will finish",
					plural(b.CountEnded(), "recipient")+" ended already, and stay as they are")
				if err != nil {
					return moved{}, err
				}
			}
			return moveTo(campaign.Cancelled)(ctx, rooms, op, id, reason)
		})
	question.addTo(command.Flags())
	return command
}

// explainMove distinguishes a list that waits for its message from a campaign that does not exist.
func explainMove(ctx context.Context, op *operator.Operator, id string, err error) error {
	if errors.Is(err, campaign.ErrNotFound) {
		if view, showErr := op.Show(ctx, id); showErr == nil && view.Spec.State == "" {
			return daemon.WithExitCode(daemon.ExitNoCampaign, fmt.Errorf("campaign %s has recipients and no message; give it one: %s", printable(id), createHint(id)))
		}
	}
	return explainCampaign(id, err)
}

func (c *cli) campaignPause() *cobra.Command {
	platform := ""
	pause := func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id, reason string) (moved, error) {
		if platform == "" {
			return moveTo(campaign.Paused)(ctx, rooms, op, id, reason)
		}
		return pausePlatform(ctx, rooms, op, id, platform, reason)
	}
	command := c.campaignMove("pause", "Pause a campaign: pushes in flight finish, the rest waits", pause)
	command.Flags().Func("platform", "pause only the recipients of this `platform`, such as ios; resume ends that too", func(text string) (err error) {
		platform, err = readPlatform(text)
		return err
	})
	return command
}

// pausePlatform pauses the recipients of one platform. Only the breaker can do that.
func pausePlatform(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id, platform, reason string) (moved, error) {
	if !rooms.Settings.Breaker.Enabled {
		return moved{}, daemon.WithExitCode(daemon.ExitUsage, errors.New("breaker.enabled is false, so no platform can be paused: set it to true, or pause the whole campaign"))
	}
	line := fmt.Sprintf("campaign %s keeps %s recipients on hold; resume them with: fanfare campaign resume %s", printable(id), platform, shellWord(id))
	return moved{ID: id, Paused: platform, line: line}, op.PausePlatform(ctx, id, platform, reason)
}

// readPlatform normalizes a platform's name as it is done for recipients.
func readPlatform(text string) (string, error) {
	name := notification.NormalizePlatform(text)
	if name == "" {
		return "", errors.New("is not of 1 to 32 letters a to z, digits and underscores")
	}
	return name, nil
}
