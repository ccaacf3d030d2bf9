package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/notification"
)

// printOutcomes writes the table of outcomes by status and code, the largest first.
func printOutcomes(w io.Writer, b campaign.Books) {
	type row struct {
		status, code string
		n            int64
	}
	var rows []row
	named := make(map[string]int64)
	for key, n := range b.Codes {
		status, code, _ := strings.Cut(key, ":")
		rows = append(rows, row{status, code, n})
		named[status] += n
	}
	for status, n := range byStatus(b) {
		if rest := n - named[string(status)]; rest > 0 {
			rows = append(rows, row{string(status), "", rest})
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.status, b.status), cmp.Compare(a.code, b.code))
	})
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "STATUS\tCODE\tRECIPIENTS")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%s\t%9s\n", r.status, r.code, thousands(r.n))
		}
	})
}

// printBooks writes the balance: everybody who was loaded is in exactly one place.
func printBooks(w io.Writer, b campaign.Books) {
	verdict := "balanced"
	if !b.Balanced() {
		verdict = fmt.Sprintf("NOT BALANCED: %s recipients are missing from Redis", thousands(b.Missing))
	}
	fmt.Fprintf(w, "books: loaded %s = sent %s + failed %s + skipped %s + expired %s + unknown %s + waiting %s + in flight %s + retrying %s: %s\n",
		thousands(b.Loaded), thousands(b.Sent), thousands(b.Failed), thousands(b.Skipped), thousands(b.Expired), thousands(b.Unknown),
		thousands(b.Waiting), thousands(b.InFlight), thousands(b.Retrying), verdict)
}

// byStatus are the books' counts of who has ended.
func byStatus(b campaign.Books) map[notification.Status]int64 {
	return map[notification.Status]int64{
		notification.StatusSent: b.Sent, notification.StatusFailed: b.Failed, notification.StatusSkipped: b.Skipped,
		notification.StatusExpired: b.Expired, notification.StatusUnknown: b.Unknown,
	}
}

// stateOf is what the list shows for a campaign; a list without a spec has no state yet.
func stateOf(s campaign.Summary) string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case s.Spec.State == "":
		return "waiting for a message"
	}
	return string(s.Spec.State)
}

// noCampaign gives "no such campaign" its exit code.
func noCampaign(err error) error {
	if errors.Is(err, campaign.ErrNotFound) {
		return daemon.Exit(daemon.ExitNoCampaign, err)
	}
	return err
}

// sortedKeys are a map's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
