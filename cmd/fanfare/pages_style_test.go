package main

import (
	"regexp"
	"strings"
	"testing"
)

// archaic are words that pages do not use.
var archaic = regexp.MustCompile(`(?i)\b(nobody|everybody|somebody|anybody|whoever|whom|anew|mend(ed|s)?|therefrom|thereof|hitherto|be it|lest|shall)\b`)

// longest is how many words a sentence may have.
const longest = 25

var (
	sentenceEnd = regexp.MustCompile(`[.:;?!](\s+|$)`)
	linkTarget  = regexp.MustCompile(`\]\([^)]*\)`)
)

// TestPagesAreInPlainEnglish checks the words of all pages, and the length of sentences outside
// tables and blocks.
func TestPagesAreInPlainEnglish(t *testing.T) {
	checked := 0
	for _, name := range pages(t) {
		text := fenced.ReplaceAllString(page(t, name), "")
		if name == settingsPage { // its table comes from internal/config
			text, _, _ = strings.Cut(text, tableBegins)
		}
		for _, word := range archaic.FindAllString(code.ReplaceAllString(text, ""), -1) {
			t.Errorf("%s says %q", name, word)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "|") || strings.HasPrefix(line, "    ") || name == "CHANGELOG.md" {
				continue
			}
			for _, sentence := range sentenceEnd.Split(code.ReplaceAllString(linkTarget.ReplaceAllString(line, "]"), "code"), -1) {
				checked++
				if words := len(strings.Fields(sentence)); words > longest {
					t.Errorf("%s has a sentence of %d words, want at most %d: %s", name, words, longest, sentence)
				}
			}
		}
	}
	if checked < 500 {
		t.Errorf("only %d sentences found", checked)
	}
}
