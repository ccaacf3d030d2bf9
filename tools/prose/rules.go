package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	maxColumns = 100
	maxWords   = 25
	tabWidth   = 4
)

// plainer are words of the house style's list, with the word to use in their place.
var plainer = []struct{ pattern, use string }{
	{`nobody`, "no one"}, {`whoever|whomever|whom`, "a caller that, those that"}, {`whosever`, "the one that"},
	{`somebody`, "someone"}, {`anybody`, "anyone"}, {`everybody`, "everyone"},
	{`mend(?:s|ed|ing)?`, "fix"}, {`anew`, "again"}, {`heeds?|heeded`, "follow"},
	{`tells? (?:that|whether|of)|told (?:that|whether|of)`, "reports whether"},
	{`go(?:es|ing)? on|went on|gone on`, "continue"},
	{`hence|thence|whence|hither`, "so, from there"}, {`thereof|therein|thereby|thereupon|wherein|whereof|whereby`, "of it, in it, by that"},
	{`lest`, "so that … not"}, {`shall`, "must"}, {`upon`, "on"}, {`be it|be they`, "whether"}, {`amid|whilst|ere|forth`, "during, while"},
	{`(?:is|are|was|were) to be`, "must be"}, {`for want of`, "without"}, {`(?:is|are) let to`, "may"}, {`fain|aught|naught|nigh`, "a plain word"},
	{`hear(?:s|d|ing)?`, "receive, learn"}, {`barred|outlived?`, "a verb that says what happens"},
}

var (
	words    = make([]*regexp.Regexp, len(plainer))
	sentence = regexp.MustCompile(`[.;:!?](?:\s|$)|\n\s*\n|\n\s*[-•]`)
	quoted   = regexp.MustCompile("`[^`]*`|\"[^\"]*\"")
)

func init() {
	for i, w := range plainer {
		words[i] = regexp.MustCompile(`(?i)\b(?:` + w.pattern + `)\b`)
	}
}

// passage is a comment or a text that is printed.
type passage struct {
	line    int
	comment bool
	text    string // without comment signs
	lines   []line // of a comment that fills its lines
}

// line is a source line of a comment, tabs included.
type line struct {
	number int
	text   string
}

// fault is one thing to fix.
type fault struct {
	file    string
	line    int
	problem string
}

func (f fault) String() string { return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.problem) }

func (p passage) faults(file string) []fault {
	var all []fault
	add := func(line int, format string, args ...any) {
		all = append(all, fault{file, line, fmt.Sprintf(format, args...)})
	}
	for i, w := range words {
		for _, found := range w.FindAllString(p.text, -1) {
			add(p.line, "says %q; use: %s", found, plainer[i].use)
		}
	}
	if !p.comment {
		return all
	}
	for _, s := range sentence.Split(quoted.ReplaceAllString(p.text, "code"), -1) {
		if n := len(strings.Fields(s)); n > maxWords && !strings.Contains(s, "|") {
			add(p.line, "a sentence of %d words, want at most %d: %s …", n, maxWords, strings.Join(strings.Fields(s)[:6], " "))
		}
	}
	for _, l := range p.lines {
		if n := utf8.RuneCountInString(strings.ReplaceAll(l.text, "\t", strings.Repeat(" ", tabWidth))); n > maxColumns {
			add(l.number, "a comment of %d columns, want at most %d", n, maxColumns)
		}
	}
	return all
}
