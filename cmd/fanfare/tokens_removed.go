package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
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
				return c.output(command).show(removedList(found), func(w io.Writer) { printRemoved(w, found, len(users) == 0) })
			})
		},
	}
	filter.addTo(command)
	command.Flags().IntVar(&limit, "limit", limit, "tokens shown at most, the newest first; all are counted")
	return command
}

// removedList is what "tokens removed" found, with no token in full.
type removedList operator.RemovedTokens

// MarshalJSON writes lists even where there is nothing.
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

// printRemoved counts them by hour and campaign besides, unless they are those of users that were named.
func printRemoved(w io.Writer, found operator.RemovedTokens, counted bool) {
	if found.Total == 0 {
		fmt.Fprintln(w, "no removed tokens")
		return
	}
	if len(found.Newest) > 0 {
		t := newTable("AT", "USER", "CAMPAIGN", "TOKEN")
		for _, r := range found.Newest {
			t.add(stamp(r.At), r.User, r.Campaign, r.Token.String())
		}
		t.print(w)
		if !counted && found.Total == int64(len(found.Newest)) {
			return
		}
		fmt.Fprintf(w, "\n%s of %s shown\n\n", operator.Thousands(len(found.Newest)), operator.Thousands(found.Total))
	}
	t := newTable(">TOKENS", "HOUR", "CAMPAIGN")
	for _, count := range found.Counts {
		t.add(operator.Thousands(count.Tokens), stamp(count.Hour), count.Campaign)
	}
	t.print(w)
}
