package main

import (
	"io"
	"strings"
	"unicode/utf8"

	"fanfare/internal/terminal"
)

// wrap breaks a text between its words into lines of so many columns; 0: it stays one line. A word that is longer stays whole.
func wrap(text string, columns int) []string {
	if columns <= 0 || utf8.RuneCountInString(text) <= columns {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// indented puts a text behind a label of the first line, and what of it does not fit below its own beginning.
func indented(w io.Writer, label, text string) string {
	indent := utf8.RuneCountInString(label)
	return label + strings.Join(wrap(text, terminal.Columns(w)-indent), "\n"+strings.Repeat(" ", indent))
}
