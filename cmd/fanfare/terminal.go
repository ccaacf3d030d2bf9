package main

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// columnsOf is how wide a terminal is; 0 where w is none, and nothing has to fit.
func columnsOf(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

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
	return label + strings.Join(wrap(text, columnsOf(w)-indent), "\n"+strings.Repeat(" ", indent))
}
