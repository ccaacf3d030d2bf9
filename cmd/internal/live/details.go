package live

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// reasons say why the selected campaign, or a part of it, does not move, and what to do.
func (m model) reasons() []string {
	r := m.current()
	if r == nil {
		return nil
	}
	lines := []string{m.paint(r.title(), terminal.Bold) + ": " + m.paint(r.word(), m.stateColor(*r))}
	if len(r.Reasons) == 0 {
		return append(lines, m.wrapIndented(r.outlook(m.now))...)
	}
	for _, reason := range r.Reasons {
		lines = append(lines, m.wrapIndented(terminal.Printable(describe(reason, m.now)))...)
		if reason.Next != "" {
			lines = append(lines, m.wrapIndented("→ "+terminal.Printable(reason.Next))...)
		}
	}
	return lines
}

// outlook is what there is to say about a campaign that nothing keeps from moving.
func (r row) outlook(now time.Time) string {
	switch {
	case operator.DescribeEnd(r.Spec, now) != "":
		return terminal.Printable(operator.DescribeEnd(r.Spec, now))
	case r.Spec.State.HasEnded():
		return "It has ended. See: fanfare campaign report " + r.shellID()
	case r.left > 0:
		return "Nothing keeps it from moving; about " + shortSpan(r.left) + " to go."
	}
	return "Nothing keeps it from moving."
}

// details is the page of the selected campaign.
func (m model) details() []string {
	r := m.current()
	if r == nil {
		return nil
	}
	lines := append(m.reasons(), "")
	for _, field := range r.fields() {
		if field[1] != "" {
			lines = append(lines, m.paint(fmt.Sprintf("  %-9s", field[0]), terminal.Bold)+" "+terminal.Printable(field[1]))
		}
	}
	return lines
}

// fields are the names and values of the details page. Empty values are not shown.
func (r row) fields() [][2]string {
	s, b := r.Spec, r.Books
	fields := [][2]string{
		{"progress", fmt.Sprintf("%s  %s of %s ended", r.bar(10), operator.Thousands(b.CountEnded()), operator.Thousands(b.Loaded))},
		{"rate", r.rateText()}, {"to go", shortSpan(r.left)},
		{"sent", operator.Thousands(b.Sent)},
		{"failed", operator.Thousands(b.Failed) + " (" + operator.Share(b.Failed, b.CountEnded()) + ")"},
		{"others", joinCounts(named{"skipped", b.Skipped}, named{"expired", b.Expired}, named{"unknown", b.Unknown})},
		{"open", joinCounts(named{"waiting", b.Waiting}, named{"in flight", b.InFlight}, named{"retrying", b.Retrying}, named{"missing", b.Missing})},
		{"codes", r.codes()},
		{"project", s.Project},
		{"options", fmt.Sprintf("priority %d, weight %d%s", s.Priority, s.Weight, r.cap())},
	}
	if at := r.Deadline(); !at.IsZero() {
		fields = append(fields, [2]string{"deadline", operator.LocalTime(at)})
	}
	if !s.CreatedAt.IsZero() {
		fields = append(fields, [2]string{"created", operator.LocalTime(s.CreatedAt)})
	}
	if !s.StartedAt.IsZero() {
		fields = append(fields, [2]string{"started", operator.LocalTime(s.StartedAt)})
	}
	if !s.FinishedAt.IsZero() {
		fields = append(fields, [2]string{"finished", operator.LocalTime(s.FinishedAt)})
	}
	return fields
}

// cap is the campaign's own rate; "" if it has none.
func (r row) cap() string {
	if r.Spec.Rate <= 0 {
		return ""
	}
	return ", at most " + operator.Decimal(r.Spec.Rate) + " a second"
}

// shownCodes limits the codes of the details page.
const shownCodes = 4

// codes are the most frequent outcomes.
func (r row) codes() string {
	codes := slices.SortedFunc(maps.Keys(r.Books.Codes), func(a, b string) int {
		if c := r.Books.Codes[b] - r.Books.Codes[a]; c != 0 {
			return int(max(-1, min(1, c)))
		}
		return strings.Compare(a, b)
	})
	var counts []named
	for _, code := range codes[:min(len(codes), shownCodes)] {
		counts = append(counts, named{code, r.Books.Codes[code]})
	}
	return joinCounts(counts...)
}

type named struct {
	name string
	n    int64
}

// joinCounts formats the counts that are not zero.
func joinCounts(counts ...named) string {
	var parts []string
	for _, c := range counts {
		if c.n != 0 {
			parts = append(parts, operator.Thousands(c.n)+" "+c.name)
		}
	}
	return strings.Join(parts, ", ")
}
