package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

// letterList is what "dead list" found.
type letterList struct {
	letters []responses.DeadLetter
	counts  responses.DeadCounts
}

func findLetters(ctx context.Context, dead *responses.DeadLetters, filter responses.Filter, limit int) (letterList, error) {
	var found letterList
	var err error
	if found.counts, err = dead.Count(ctx, filter); err != nil {
		return found, err
	}
	for letter, err := range dead.List(ctx, filter) {
		if err != nil {
			return found, err
		}
		if len(found.letters) >= limit {
			break
		}
		found.letters = append(found.letters, letter)
	}
	return found, nil
}

// MarshalJSON writes the letters as they stand in the list.
func (l letterList) MarshalJSON() ([]byte, error) {
	views := make([]json.RawMessage, len(l.letters))
	for i, letter := range l.letters {
		views[i] = asJSON(letter)
	}
	return json.Marshal(map[string]any{
		"letters": views, "total": l.counts.Total, "codes": l.counts.Codes, "dropped": l.counts.Dropped,
	})
}

func asJSON(l responses.DeadLetter) json.RawMessage { return responses.AppendDeadLetter(nil, &l) }

func printLetters(w io.Writer, found letterList) {
	if len(found.letters) > 0 {
		t := newTable("AT", "KIND", "CAMPAIGN", "USER", "CODE", "REASON", "ID")
		for _, l := range found.letters {
			t.add(stamp(l.At), string(l.Kind), l.Result.CampaignID, l.Result.UserID, l.Code(), l.Reason, l.ID)
		}
		t.print(w)
		fmt.Fprintf(w, "\n%s of %s shown\n\n", operator.Thousands(len(found.letters)), operator.Thousands(found.counts.Total))
	}
	if found.counts.Total == 0 {
		fmt.Fprintln(w, "no dead letters")
	} else {
		printCodes(w, found.counts.Codes)
	}
	if found.counts.Dropped > 0 {
		fmt.Fprintf(w, "%s older ones were dropped by the bounds (responder.dead_max_length, responder.dead_max_age)\n", operator.Thousands(found.counts.Dropped))
	}
}

// printCodes counts letters by code, the most frequent first.
func printCodes(w io.Writer, codes map[string]int64) {
	t := newTable(">LETTERS", "CODE")
	for _, code := range slices.SortedFunc(maps.Keys(codes), func(a, b string) int {
		return cmp.Or(cmp.Compare(codes[b], codes[a]), cmp.Compare(a, b))
	}) {
		t.add(operator.Thousands(codes[code]), code)
	}
	t.print(w)
}

func printLetter(w io.Writer, l responses.DeadLetter) {
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-9s %s\n", name, printable(value))
		}
	}
	field("id", l.ID)
	field("at", stamp(l.At))
	field("kind", string(l.Kind))
	field("code", l.Code())
	field("reason", l.Reason)
	field("campaign", l.Result.CampaignID)
	field("user", l.Result.UserID)
	if l.Result.Attempts > 0 {
		field("attempts", fmt.Sprint(l.Result.Attempts))
	}
	field("raw", string(l.Raw))
}

func printReplay(w io.Writer, done string, s operator.ReplaySummary) {
	fmt.Fprintf(w, "%s %s\n", done, plural(s.Replayed, "dead letter"))
	if s.Skipped > 0 {
		fmt.Fprintf(w, "left alone %s, whose campaign takes no recipients any more\n", operator.Thousands(s.Skipped))
	}
	if s.NoToken > 0 {
		fmt.Fprintf(w, "left alone %s, for whom no token is stored: give them one with fanfare tokens import, or load them again with --append\n",
			operator.Thousands(s.NoToken))
	}
}
