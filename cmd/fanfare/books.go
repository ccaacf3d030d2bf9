package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// outcome is how many recipients ended with one status and code.
type outcome struct {
	status, code string
	n            int64
}

// countOutcomes counts the recipients that ended, by status and code, the largest number first.
func countOutcomes(b campaign.Books) []outcome {
	var all []outcome
	named := make(map[string]int64)
	for key, n := range b.Codes {
		status, code, _ := strings.Cut(key, ":")
		all = append(all, outcome{status, code, n})
		named[status] += n
	}
	for status, n := range countsByStatus(b) {
		if rest := n - named[string(status)]; rest > 0 {
			all = append(all, outcome{string(status), "", rest})
		}
	}
	slices.SortFunc(all, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.status, b.status), cmp.Compare(a.code, b.code))
	})
	return all
}

// printOutcomes prints the table of outcomes and their sum.
func printOutcomes(w io.Writer, b campaign.Books) {
	if b.Ended() == 0 {
		return
	}
	t := newTable("OUTCOME", "CODE", ">RECIPIENTS", ">SHARE")
	share := func(n int64) string { return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(b.Ended())) }
	for _, o := range countOutcomes(b) {
		t.add(o.status, cmp.Or(o.code, "–"), operator.Thousands(o.n), share(o.n))
	}
	t.rows = append(t.rows, rule)
	t.add("total", "", operator.Thousands(b.Ended()), "")
	t.print(w)
	fmt.Fprintln(w)
}

// printBooks prints the balance. Each loaded recipient is in exactly one place.
func printBooks(w io.Writer, b campaign.Books) {
	var sum []string
	for _, part := range []struct {
		name string
		n    int64
	}{
		{"sent", b.Sent}, {"failed", b.Failed}, {"skipped", b.Skipped}, {"expired", b.Expired}, {"unknown", b.Unknown},
		{"waiting", b.Waiting}, {"in flight", b.InFlight}, {"retrying", b.Retrying},
	} {
		if part.n != 0 || part.name == "sent" {
			sum = append(sum, operator.Thousands(part.n)+" "+part.name)
		}
	}
	verdict := "balanced"
	switch {
	case b.Missing > 0:
		verdict = fmt.Sprintf("NOT BALANCED: %s went missing in Redis", plural(b.Missing, "recipient"))
	case !b.Balanced():
		verdict = "NOT BALANCED: the campaign's counts were deleted or changed in Redis"
	}
	fmt.Fprintf(w, "books: %s loaded = %s: %s\n", operator.Thousands(b.Loaded), strings.Join(sum, " + "), verdict)
}

// printAmbiguous prints how many outcomes are uncertain, if there are any.
func printAmbiguous(w io.Writer, a operator.Ambiguous) {
	if a.Unanswered == 0 && a.Lost == 0 {
		return
	}
	fmt.Fprintf(w, "ambiguous: %s without a readable answer = %s sent again + %s reported as unknown",
		plural(a.Unanswered, "request"), operator.Thousands(a.Resent), operator.Thousands(a.Unknown))
	if a.Lost > 0 {
		fmt.Fprintf(w, "; %s lost with a sender", operator.Thousands(a.Lost))
	}
	fmt.Fprintf(w, "; %s at most\n", plural(a.PossibleDuplicates, "duplicate"))
}

// countsByStatus returns the books' counts of ended recipients.
func countsByStatus(b campaign.Books) map[notification.Status]int64 {
	return map[notification.Status]int64{
		notification.StatusSent: b.Sent, notification.StatusFailed: b.Failed, notification.StatusSkipped: b.Skipped,
		notification.StatusExpired: b.Expired, notification.StatusUnknown: b.Unknown,
	}
}
