package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

func (c *cli) dead() *cobra.Command {
	command := &cobra.Command{Use: "dead", Short: "Look through, replay and purge the dead letters"}
	command.AddCommand(c.deadList(), c.deadShow(), c.deadReplay(), c.deadPurge())
	return command
}

// addFilter gives a command the flags that choose letters.
func addFilter(command *cobra.Command, f *responses.Filter) {
	flags := command.Flags()
	flags.StringVar(&f.Campaign, "campaign", "", "of this campaign")
	flags.StringVar(&f.User, "user", "", "of this user")
	flags.StringVar(&f.Code, "code", "", "with this code, such as UNREGISTERED")
	flags.StringVar((*string)(&f.Kind), "kind", "", "recipient, element or result")
	flags.StringVar(&f.Reason, "reason", "", "whose reason holds this text")
	flags.TimeVar(&f.Since, "since", time.Time{}, []string{time.RFC3339, time.DateOnly}, "from this moment on")
	flags.TimeVar(&f.Until, "until", time.Time{}, []string{time.RFC3339, time.DateOnly}, "before this moment")
}

func (c *cli) deadList() *cobra.Command {
	var filter responses.Filter
	limit := 100
	command := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, the oldest first, and count them by code",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				letters := []responses.DeadLetter{}
				for letter, err := range rooms.DeadLetters.List(ctx, filter) {
					if err != nil {
						return err
					}
					if len(letters) == limit {
						break
					}
					letters = append(letters, letter)
				}
				counts, err := rooms.DeadLetters.Count(ctx, filter)
				if err != nil {
					return err
				}
				found := map[string]any{"letters": letterViews(letters), "total": counts.Total, "codes": counts.Codes, "dropped": counts.Dropped}
				return c.output(command).show(found, func(w io.Writer) { printLetters(w, letters, counts) })
			})
		},
	}
	addFilter(command, &filter)
	command.Flags().IntVar(&limit, "limit", limit, "letters shown at most")
	return command
}

func (c *cli) deadShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show one dead letter whole",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				letter, err := rooms.DeadLetters.Get(ctx, args[0])
				if err != nil {
					return fmt.Errorf("show %s: %w", args[0], err)
				}
				view := letterView(letter)
				return c.output(command).show(view, func(w io.Writer) {
					text, _ := json.MarshalIndent(view, "", "  ") // it has been JSON already
					fmt.Fprintf(w, "%s\n", text)
					if len(letter.Raw) > 0 {
						fmt.Fprintf(w, "raw: %q\n", letter.Raw)
					}
				})
			})
		},
	}
}

func (c *cli) deadReplay() *cobra.Command {
	var filter responses.Filter
	command := &cobra.Command{
		Use:   "replay",
		Short: "Send dead letters on their way again: recipients to their campaign, results to the responder",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				summary, err := op.Replay(ctx, filter)
				if err != nil {
					return fmt.Errorf("replayed %d: %w", summary.Replayed, err)
				}
				return c.output(command).done(summary, "replayed %s dead letters; %s are of campaigns that take no recipients any more",
					thousands(summary.Replayed), thousands(summary.Skipped))
			})
		},
	}
	addFilter(command, &filter)
	return command
}

func (c *cli) deadPurge() *cobra.Command {
	var filter responses.Filter
	command := &cobra.Command{
		Use:   "purge",
		Short: "Delete dead letters for good",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, _ *operator.Operator) error {
				removed, err := rooms.DeadLetters.Purge(ctx, filter)
				if err != nil {
					return err
				}
				return c.output(command).done(map[string]int{"purged": removed}, "purged %d dead letters", removed)
			})
		},
	}
	addFilter(command, &filter)
	return command
}

// letterView is a letter as it stands in the list.
func letterView(l responses.DeadLetter) json.RawMessage { return responses.AppendDeadLetter(nil, &l) }

func letterViews(letters []responses.DeadLetter) []json.RawMessage {
	views := make([]json.RawMessage, len(letters))
	for i, letter := range letters {
		views[i] = letterView(letter)
	}
	return views
}

func printLetters(w io.Writer, letters []responses.DeadLetter, counts responses.DeadCounts) {
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tKIND\tCAMPAIGN\tUSER\tCODE\tREASON\tID")
		for _, l := range letters {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.At.Local().Format(time.DateTime), l.Kind,
				l.Result.CampaignID, l.Result.UserID, l.Code(), l.Reason, l.ID)
		}
	})
	fmt.Fprintf(w, "\n%s of %s shown", thousands(int64(len(letters))), thousands(counts.Total))
	for _, code := range sortedKeys(counts.Codes) {
		fmt.Fprintf(w, "; %s %s", code, thousands(counts.Codes[code]))
	}
	if counts.Dropped > 0 {
		fmt.Fprintf(w, "; %s older ones were dropped by the bounds", thousands(counts.Dropped))
	}
	fmt.Fprintln(w)
}
