package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// shownHistory is how many entries of its history the view of a campaign has.
const shownHistory = 5

func (c *cli) campaignHistory() *cobra.Command {
	return &cobra.Command{
		Use:   "history CAMPAIGN",
		Short: "Show who changed a campaign, when and why, the newest last",
		Long: `Show who changed a campaign, when and why, the newest last.

Redis keeps the last 200 entries for as long as the campaign, and for a week after it is deleted. The responder copies all to SQL, where
they stay. Times are those of Redis' clock.`,
		Example:           "  fanfare campaign history 42\n  fanfare campaign history 42 --json",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				history, err := op.History(ctx, args[0])
				if err != nil {
					return explainRecords(args[0], err)
				}
				if history.Problem != nil {
					fmt.Fprintf(command.ErrOrStderr(), "fanfare: note: only the entries in Redis are shown: %v\n", history.Problem)
				}
				out := c.output(command)
				return out.show(historyView{args[0], history.Entries}, func(io.Writer) { printHistory(out, "campaign "+args[0], history.Entries) })
			})
		},
	}
}

// historyView is the JSON of a campaign's history.
type historyView struct {
	ID      string                      `json:"id"`
	Entries []notification.HistoryEntry `json:"history"`
}

func (c *cli) projectHistory() *cobra.Command {
	return &cobra.Command{
		Use:   "history",
		Short: "Show who halted and resumed the project, and who set its quota, the newest last",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withGovernor(command, func(ctx context.Context, project string, g *pacing.Governor) error {
				entries, err := g.History(ctx)
				if err != nil {
					return err
				}
				out := c.output(command)
				return out.show(projectHistoryView{project, entries}, func(io.Writer) { printHistory(out, "project "+project, entries) })
			})
		},
	}
}

// projectHistoryView is the JSON of a project's history.
type projectHistoryView struct {
	Project string                      `json:"project"`
	Entries []notification.HistoryEntry `json:"history"`
}

func printHistory(o output, of string, entries []notification.HistoryEntry) {
	if len(entries) == 0 {
		fmt.Fprintf(o.w, "%s has no history yet\n", printable(of))
	}
	for _, e := range entries {
		fmt.Fprintln(o.w, o.indent(localTime(e.At)+"  ", entryText(e)))
	}
}

// entryText says what happened and who did it.
func entryText(e notification.HistoryEntry) string {
	text := printable(operator.DescribeEntry(e))
	if e.Who != "" {
		text += " (" + printable(e.Who) + ")"
	}
	return text
}

// recentHistory returns the newest entries, for the view of a campaign. Entries in SQL alone are
// left out if SQL cannot be asked: the history command says so.
func recentHistory(ctx context.Context, op *operator.Operator, id string) ([]notification.HistoryEntry, error) {
	history, err := op.History(ctx, id)
	if err != nil && !errors.Is(err, campaign.ErrNotFound) {
		return nil, err
	}
	return history.Entries[max(0, len(history.Entries)-shownHistory):], nil
}

func printRecentHistory(o output, id string, recent []notification.HistoryEntry) {
	if len(recent) == 0 {
		return
	}
	fmt.Fprintf(o.w, "\nhistory, the newest last; all of it: fanfare campaign history %s\n", shellWord(id))
	printHistory(o, "campaign "+id, recent)
}
