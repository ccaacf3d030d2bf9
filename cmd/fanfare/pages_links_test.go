package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	fenced  = regexp.MustCompile("(?ms)^```.*?^```\n?")
	code    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

// TestPagesLinkToWhatExists follows each relative link and each anchor of all pages.
func TestPagesLinkToWhatExists(t *testing.T) {
	followed := 0
	for _, name := range pages(t) {
		text := code.ReplaceAllString(fenced.ReplaceAllString(page(t, name), ""), "code")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			followed++
			file, anchor, hasAnchor := strings.Cut(match[1], "#")
			target := name
			if file != "" {
				target = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s: %v", name, match[1], err)
			} else if hasAnchor && !anchors(page(t, target))[anchor] {
				t.Errorf("%s links to %s: no heading has this anchor", name, match[1])
			}
		}
	}
	if followed < 100 {
		t.Errorf("only %d links found", followed)
	}
}

// TestDocumentationIsIndexed wants each page of docs/ in its index, and each decision in that of decisions.
func TestDocumentationIsIndexed(t *testing.T) {
	for _, name := range pages(t) {
		dir, file := filepath.Split(name)
		if (dir == "docs/" || dir == "docs/adr/") && file != "README.md" && !strings.Contains(page(t, dir+"README.md"), "]("+file) {
			t.Errorf("%sREADME.md does not link to %s", dir, file)
		}
	}
}

// anchors are those that GitHub gives to the headings of a page.
func anchors(text string) map[string]bool {
	found := make(map[string]bool)
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		found[anchor(match[1])] = true
	}
	return found
}

func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}
