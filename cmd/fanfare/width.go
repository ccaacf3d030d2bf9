package main

import (
	"github.com/mattn/go-runewidth"
)

// display measures text as terminals show it: some characters take two columns, some none. It does
// not depend on the locale, so that tables are the same everywhere.
var display = &runewidth.Condition{StrictEmojiNeutral: true}

// displayWidth is how many columns of a terminal a text takes.
func displayWidth(text string) int { return display.StringWidth(text) }

// ellipsis stands for what was cut out of a text.
const ellipsis = "…"

// keepStart cuts a text to a width, at its end.
func keepStart(text string, width int) string { return display.Truncate(text, width, ellipsis) }

// keepEnd cuts a text to a width, at its start.
func keepEnd(text string, width int) string {
	return ellipsis + display.TruncatePrefix(text, width-1, "")
}

// keepEnds cuts a text to a width, in its middle.
func keepEnds(text string, width int) string {
	start := display.Truncate(text, width/2, "")
	return start + keepEnd(text, width-displayWidth(start))
}

// breakWord breaks a line without blanks into lines of at most this many columns.
func breakWord(line string, columns int) []string {
	var lines []string
	for displayWidth(line) > columns {
		start := display.Truncate(line, columns, "")
		if start == "" {
			break // one character is wider
		}
		lines, line = append(lines, start), line[len(start):]
	}
	return append(lines, line)
}
