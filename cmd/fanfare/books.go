package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// printOutcomes prints the table of outcomes and their sum.
func printOutcomes(o output, b campaign.Books) {
	if b.CountEnded() == 0 {
		return
	}
	t := o.newTable(textColumn("OUTCOME"), textColumn("CODE"), numberColumn("RECIPIENTS"), numberColumn("SHARE"))
	share := func(n int64) string { return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(b.CountEnded())) }
	for _, each := range operator.CountOutcomes(b) {
		t.add(string(each.Status), cmp.Or(each.Code, "–"), operator.Thousands(each.N), share(each.N))
	}
	t.rows = append(t.rows, rule)
	t.add("total", "", operator.Thousands(b.CountEnded()), "")
	t.print()
	fmt.Fprintln(o.w)
}

// choiceTables returns the tables of the outcomes by variant and by language, each with its sum.
// A campaign without them has no such tables.
func choiceTables(o output, c operator.Choices) []*table {
	var tables []*table
	if len(c.Variants) > 0 {
		t := o.newTable(append([]column{textColumn("VARIANT"), numberColumn("WEIGHT")}, sumColumns()...)...)
		for _, n := range c.Variants {
			weight := "–"
			if n.Percent > 0 {
				weight = fmt.Sprintf("%d%%", n.Percent)
			}
			t.add(append([]string{variantName(n), weight}, sumCells(n.OutcomeSums)...)...)
		}
		t.rows = append(t.rows, rule)
		t.add(append([]string{"total", ""}, sumCells(c.Ended)...)...)
		tables = append(tables, t)
	}
	if len(c.Languages) > 0 {
		t := o.newTable(append([]column{textColumn("LANGUAGE")}, sumColumns()...)...)
		for _, n := range c.Languages {
			t.add(append([]string{languageName(n)}, sumCells(n.OutcomeSums)...)...)
		}
		t.rows = append(t.rows, rule)
		t.add(append([]string{"total"}, sumCells(c.Ended)...)...)
		tables = append(tables, t)
	}
	return tables
}

func sumColumns() []column {
	return []column{
		numberColumn("RECIPIENTS"), numberColumn("SENT"), numberColumn("FAILED"), numberColumn("OTHERS"), numberColumn("SENT %").onlyWide(),
	}
}

func sumCells(n operator.OutcomeSums) []string {
	return []string{
		operator.Thousands(n.Recipients), operator.Thousands(n.Sent), operator.Thousands(n.Failed), operator.Thousands(n.Others),
		operator.Share(n.Sent, n.Recipients),
	}
}

// languageName names a row of the table of languages.
func languageName(n operator.LanguageCount) string {
	switch {
	case n.None:
		return "(none)"
	case n.Locale == "":
		return "(base)"
	}
	return n.Locale
}

// variantName names a row of the table of variants.
func variantName(n operator.VariantCount) string {
	switch {
	case n.HeldOut:
		return "(hold-out)"
	case n.Name == "":
		return "(none)"
	}
	return n.Name
}

// devicesText says how the devices of ended recipients ended; "" if no recipient had several.
func devicesText(d *campaign.DeviceBooks) string {
	if d == nil {
		return ""
	}
	var parts []string
	for _, part := range []struct {
		name string
		n    int64
	}{{"sent", d.Sent}, {"failed", d.Failed}, {"skipped", d.Skipped}, {"expired", d.Expired}, {"unknown", d.Unknown}} {
		if part.n != 0 || part.name == "sent" {
			parts = append(parts, operator.Thousands(part.n)+" "+part.name)
		}
	}
	return strings.Join(parts, ", ") + " of " + operator.Thousands(d.Total)
}

// movedText says how many tokens died because their app moved to an installation ID; "" if none.
func movedText(n int64) string {
	if n == 0 {
		return ""
	}
	return plural(n, "dead token") + ": the app uses installation IDs now"
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
	result := "balanced"
	switch {
	case b.Missing > 0:
		result = fmt.Sprintf("NOT BALANCED: %s went missing in Redis", plural(b.Missing, "recipient"))
	case !b.IsBalanced():
		result = "NOT BALANCED: the campaign's counts were deleted or changed in Redis"
	}
	fmt.Fprintf(w, "books: %s loaded = %s: %s\n", operator.Thousands(b.Loaded), strings.Join(sum, " + "), result)
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
