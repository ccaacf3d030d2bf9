package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

const barWidth = 20

// part is a piece of a line of progress. Where not all of them fit, those of the highest rank are left out first.
type part struct {
	text string
	rank int
}

// describe is a campaign's progress in one line of so many columns at most; below 1: as many as it takes.
func describe(p operator.Progress, columns int) string {
	parts := partsOf(p, barFor(columns))
	for {
		line := joined(parts)
		if columns < 1 || utf8.RuneCountInString(line) <= columns {
			return line
		}
		least := 0
		for i, part := range parts {
			if part.rank > parts[least].rank {
				least = i
			}
		}
		if least == 0 {
			return string([]rune(line)[:columns])
		}
		parts = slices.Delete(parts, least, least+1)
	}
}

func joined(parts []part) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = part.text
	}
	return strings.Join(texts, "  ")
}

// barFor follows from the terminal alone: a bar that gave way to each further figure would be restless.
func barFor(columns int) int {
	switch {
	case columns < 1 || columns >= 100:
		return barWidth
	case columns >= 70:
		return barWidth / 2
	}
	return barWidth / 4
}

// partsOf is all that there is to say, in its order: the state with its bar first, which always stays.
func partsOf(p operator.Progress, bar int) []part {
	b := p.Books
	done := 0.0
	if b.Loaded > 0 {
		done = float64(b.Ended()) / float64(b.Loaded)
	}
	filled := int(done * float64(bar))
	parts := []part{
		{fmt.Sprintf("%-9s %s%s %3d%%", cmp.Or(string(p.State), "waiting"), strings.Repeat("█", filled), strings.Repeat("░", bar-filled), int(done*100)), 0},
		{fmt.Sprintf("%s of %s", operator.Thousands(b.Ended()), operator.Thousands(b.Loaded)), 1},
	}
	for _, count := range []struct {
		name string
		n    int64
		rank int
	}{
		{"failed", b.Failed, 3}, {"skipped", b.Skipped, 6}, {"unknown", b.Unknown, 5}, {"expired", b.Expired, 5},
		{"sent again", b.Resent, 8}, {"retrying", b.Retrying, 7}, {"in flight", b.InFlight, 9}, {"missing", b.Missing, 3},
	} {
		if count.n > 0 {
			parts = append(parts, part{operator.Thousands(count.n) + " " + count.name, count.rank})
		}
	}
	if p.Rate >= 1 {
		parts = append(parts, part{operator.Thousands(int64(p.Rate)) + "/s", 4})
	}
	if p.Left > 0 {
		parts = append(parts, part{operator.Span(p.Left) + " to go", 2})
	}
	return parts
}

// standstill is why nothing moves, or not all of it, and what a person can do about it.
func standstill(p operator.Progress) []string {
	var all []string
	if !p.State.Ended() {
		for _, loss := range p.Losses {
			all = append(all, printable(loss.What)+"; "+printable(loss.Advice))
		}
	}
	switch p.State {
	case "":
		all = append(all, "it waits for a message: "+createLine(p.ID))
	case campaign.Draft:
		all = append(all, "it is not started: fanfare campaign start "+word(p.ID))
	case operator.Broken:
		all = append(all, fmt.Sprintf("broken: %s; see: fanfare campaign show %s", printable(p.Reason), word(p.ID)))
	case campaign.Paused:
		all = append(all, fmt.Sprintf("paused: %s; go on with: fanfare campaign resume %s", cmp.Or(printable(p.Reason), "without a reason"), word(p.ID)))
	case campaign.Running:
		if held := heldWhy(p.Held); held != "" {
			all = append(all, "held: "+printable(held))
		}
		if b := p.Books; b.ClockBack > 0 {
			all = append(all, fmt.Sprintf("%s retries wait %s: Redis' clock has gone back", operator.Thousands(b.Retrying), operator.Span(b.UntilRetry().Round(time.Second))))
		}
		for _, platform := range slices.Sorted(maps.Keys(p.KeptBack)) {
			all = append(all, fmt.Sprintf("%s is kept back: %s; let it take part again with: fanfare campaign resume %s", printable(platform), printable(p.KeptBack[platform]), word(p.ID)))
		}
	}
	return all
}
