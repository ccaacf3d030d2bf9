package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
	"fanfare/internal/tokens"
)

func (c *cli) tokensRemoved() *cobra.Command {
	var filter removedFilter
	limit := 20
	command := &cobra.Command{
		Use:   "removed [USER...]",
		Short: "Show the removed tokens that can be restored, and count them by hour and campaign",
		Args:  cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, users []string) error {
			if err := filter.read(command, users); err != nil {
				return err
			}
			if err := checkRange(command, "limit", limit, 0, maxLimit); err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				found, err := op.RemovedTokens(ctx, filter.Filter, limit)
				if err != nil {
					return err
				}
				out := c.output(command)
				return out.show(removedList(found), func(io.Writer) { printRemoved(out, found, len(users) == 0) })
			})
		},
	}
	filter.addTo(command)
	command.Flags().IntVar(&limit, "limit", limit, "tokens shown at most, the newest first; all are counted")
	return command
}

// removedList is the result of "tokens removed", with shortened tokens.
type removedList operator.RemovedTokens

// MarshalJSON writes empty lists as [].
func (l removedList) MarshalJSON() ([]byte, error) {
	type removed struct {
		UserID   string    `json:"userId"`
		Token    string    `json:"token"`
		Campaign string    `json:"campaignId"`
		At       time.Time `json:"at"`
	}
	newest := make([]removed, len(l.Newest))
	for i, r := range l.Newest {
		newest[i] = removed{UserID: r.User, Token: r.Token.String(), Campaign: r.Campaign, At: r.At}
	}
	counts := append([]operator.RemovedCount{}, l.Counts...)
	return json.Marshal(map[string]any{"total": l.Total, "counts": counts, "tokens": newest})
}

// printRemoved prints the removed tokens. It also counts them by hour and campaign, unless users
// were named.
func printRemoved(o output, found operator.RemovedTokens, counted bool) {
	if found.Total == 0 {
		fmt.Fprintln(o.w, "no removed tokens")
		return
	}
	if len(found.Newest) > 0 {
		t := o.newTable(momentColumn("AT"), idColumn("USER"), idColumn("CAMPAIGN"), idColumn("TOKEN"))
		for _, r := range found.Newest {
			t.add(localTime(r.At), r.User, r.Campaign, r.Token.String())
		}
		t.print()
		if !counted && found.Total == int64(len(found.Newest)) {
			return
		}
		fmt.Fprintf(o.w, "\n%s of %s shown\n\n", operator.Thousands(len(found.Newest)), operator.Thousands(found.Total))
	}
	t := o.newTable(numberColumn("TOKENS"), momentColumn("HOUR"), idColumn("CAMPAIGN"))
	for _, count := range found.Counts {
		t.add(operator.Thousands(count.Tokens), localTime(count.Hour), count.Campaign)
	}
	t.print()
}

// removedFilter are the arguments and flags that select removed tokens.
type removedFilter struct{ tokens.Filter }

func (f *removedFilter) addTo(command *cobra.Command) {
	flags := command.Flags()
	addPeriod(flags, &f.From, &f.To, "those removed")
	flags.StringVar(&f.Campaign, "campaign", "", "those that this `campaign`'s pushes removed")
}

// read takes the users, and refuses an empty period.
func (f *removedFilter) read(command *cobra.Command, users []string) error {
	f.Users = users
	return checkPeriod(command, f.From, f.To)
}

// isNarrowed reports whether the filter excludes anything.
func (f *removedFilter) isNarrowed() bool {
	return len(f.Users) > 0 || !f.From.IsZero() || !f.To.IsZero() || f.Campaign != ""
}

func (c *cli) tokensRestore() *cobra.Command {
	var filter removedFilter
	all, dryRun := false, false
	command := &cobra.Command{
		Use:   "restore [USER...]",
		Short: "Give users back the tokens that were removed as dead",
		Long: `Give users back the tokens that were removed as dead: in Redis, and in SQL where store.token_restore has a statement.

Tokens that FCM calls unregistered are removed, and kept for tokens.keep_removed. If a push went wrong, to another
project or with a broken payload, this takes the removals back. A token that the application has stored meanwhile stays.
Let the responder catch up first: results of the removals that still wait clear the tokens in SQL again.`,
		Example: `  fanfare tokens restore --campaign 42 --dry-run
  fanfare tokens restore --since 2h
  fanfare tokens restore u1 u2`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, users []string) error {
			if err := filter.read(command, users); err != nil {
				return err
			}
			if all && filter.isNarrowed() {
				return wrongUsage(command, errors.New("--all restores every removed token: leave it out to choose some"))
			}
			if !all && !filter.isNarrowed() {
				return wrongUsage(command, errors.New("this would restore every removed token: choose some, or give --all"))
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				bar := newFileBar(command.ErrOrStderr(), -1, "restoring", "token")
				summary, err := op.RestoreTokens(ctx, filter.Filter, tokens.RestoreOptions{
					DryRun: dryRun, Progress: func(so tokens.RestoreResult) { bar.count(so.Restored) },
				})
				bar.clear()
				if err != nil {
					return err
				}
				onlyRedis := rooms.Store != nil && !summary.SQL
				return c.output(command).show(summary, func(w io.Writer) { printRestored(w, summary, onlyRedis) })
			})
		},
	}
	filter.addTo(command)
	command.Flags().BoolVar(&all, "all", false, "every removed token that is kept")
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only count what would be restored")
	return command
}

// printRestored prints what was done. With onlyRedis there is a database, but it was not written.
func printRestored(w io.Writer, s operator.RestoreSummary, onlyRedis bool) {
	if s.DryRun {
		fmt.Fprintf(w, "would restore %s\n", plural(s.Restored, "token"))
	} else {
		fmt.Fprintf(w, "restored %s in %s\n", plural(s.Restored, "token"), s.Took.Round(time.Millisecond))
	}
	if s.Newer > 0 {
		fmt.Fprintf(w, "left alone %s with a newer token\n", plural(s.Newer, "user"))
	}
	if s.Gone > 0 {
		fmt.Fprintf(w, "no removed token is kept for %s\n", plural(s.Gone, "user"))
	}
	if s.Invalid > 0 {
		fmt.Fprintf(w, "left alone %s whose stored value cannot be a token\n", plural(s.Invalid, "user"))
	}
	if onlyRedis {
		fmt.Fprintln(w, "in Redis only: store.token_restore has no statement for SQL")
	}
	if s.Waiting > 0 {
		fmt.Fprintf(w, "not yet written by the responder: %s; results of these removals clear SQL again, but not Redis\n", plural(s.Waiting, "result"))
	}
}
