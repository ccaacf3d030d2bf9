package main

import (
	"flag"
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/notification"
)

var update = flag.Bool("update", false, "write the table of settings into docs/settings.md")

const root = "../../"

// page reads a page, named from the module's root.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages lists all pages, named from the module's root.
func pages(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if err == nil && filepath.Ext(path) == ".md" {
			name, relErr := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
			return relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 20 {
		t.Fatalf("only the pages %q were found", names)
	}
	return names
}

// TestReadmeIsShort keeps the front page at four screens.
func TestReadmeIsShort(t *testing.T) {
	if words := len(strings.Fields(page(t, "README.md"))); words > 1000 {
		t.Errorf("README.md has %d words, want at most 1,000: move something to docs/", words)
	}
}

var (
	demoBlock  = regexp.MustCompile("(?s)```\\n\\$ make demo\\n(.*?)```")
	lastRow    = regexp.MustCompile(`<g style=.*?</g>`) // rows that another replaces have a class
	rowText    = regexp.MustCompile(`<text[^>]*>([^<]*)</text>`)
	barOrBlank = regexp.MustCompile(`[█░\s]+`)
)

// TestReadmeQuotesTheRecording finds the lines of the demo in the recording beside them.
func TestReadmeQuotesTheRecording(t *testing.T) {
	var shown strings.Builder
	for _, row := range lastRow.FindAllString(page(t, "docs/demo.svg"), -1) {
		for _, text := range rowText.FindAllStringSubmatch(row, -1) {
			shown.WriteString(" " + html.UnescapeString(text[1]))
		}
		shown.WriteString("\n")
	}
	block := demoBlock.FindStringSubmatch(page(t, "README.md"))
	if block == nil {
		t.Fatal("README.md quotes no make demo")
	}
	lines := strings.Split(strings.TrimSpace(block[1]), "\n")
	if len(lines) != 8 {
		t.Errorf("README.md quotes %d lines, and says that it is eight", len(lines))
	}
	words := barOrBlank.ReplaceAllString(shown.String(), " ")
	for _, line := range lines {
		if !strings.Contains(words, " "+barOrBlank.ReplaceAllString(line, " ")+" ") {
			t.Errorf("README.md quotes %q; docs/demo.svg shows\n%s", line, shown.String())
		}
	}
}

// The lines around the table of settings.
const (
	settingsPage = "docs/settings.md"
	tableBegins  = "<!-- settings: written by go test ./cmd/fanfare -run TestSettingsPage -update -->\n"
	tableEnds    = "<!-- settings end -->\n"
)

func TestSettingsPage(t *testing.T) {
	before, rest, begins := strings.Cut(page(t, settingsPage), tableBegins)
	got, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("%s has no %q and %q", settingsPage, tableBegins, tableEnds)
	}
	want := settingsTable()
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not that of internal/config; type: go test ./cmd/fanfare -run TestSettingsPage -update", settingsPage)
	}
	if err := os.WriteFile(filepath.Join(root, settingsPage), []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("\n| setting | default | meaning |\n|---|---|---|\n")
	for _, k := range config.Describe() {
		name := "`" + k.Name + "`"
		for _, env := range k.Env[1:] {
			name += " `" + env + "`"
		}
		value := "–"
		if k.Default != "" {
			value = "`" + k.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, value, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(k.Help))
	}
	b.WriteString("\n")
	return b.String()
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// TestPagesHaveValidCommands parses each line of a block that calls fanfare.
func TestPagesHaveValidCommands(t *testing.T) {
	found := 0
	for _, name := range pages(t) {
		for line := range strings.Lines(page(t, name)) {
			typed, ours := strings.CutPrefix(strings.TrimLeft(line, " "), "fanfare ")
			if !ours {
				continue
			}
			found++
			if err := parse(typed); err != nil {
				t.Errorf("%s: %s: %v", name, strings.TrimSpace(line), err)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d commands found", found)
	}
}

// TestPagesNameValidCommands parses each `fanfare …` with flags or arguments within a sentence or a
// table.
func TestPagesNameValidCommands(t *testing.T) {
	inline := regexp.MustCompile("`fanfare ([^`]+)`")
	found := 0
	for _, name := range pages(t) {
		for _, match := range inline.FindAllStringSubmatch(page(t, name), -1) {
			if strings.ContainsAny(match[1], "|…") {
				continue
			}
			found++
			words := strings.Fields(quoted.ReplaceAllString(match[1], "text"))
			if strings.HasPrefix(words[len(words)-1], "--") {
				words = append(words, "1h") // a flag is named without its value
			}
			command, args, err := newRoot(io.Discard, io.Discard).Find(words)
			if err == nil {
				err = command.ParseFlags(args)
			}
			if err != nil || !command.HasParent() {
				t.Errorf("%s: fanfare %s: %v", name, match[1], err)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d commands found", found)
	}
}

// parse returns the usage error of a command line without its program's name.
func parse(typed string) error {
	typed, _, _ = strings.Cut(typed, " #")
	typed, _, _ = strings.Cut(typed, " >")
	typed, _, _ = strings.Cut(typed, " |")
	command, args, err := newRoot(io.Discard, io.Discard).Find(strings.Fields(quoted.ReplaceAllString(typed, "text")))
	if err != nil {
		return err
	}
	if err := command.ParseFlags(args); err != nil {
		return err
	}
	if command.HasSubCommands() && command.Name() != "config" {
		return fmt.Errorf("%s needs a command", command.Name())
	}
	return command.ValidateArgs(command.Flags().Args())
}

func TestContractHasEveryField(t *testing.T) {
	text := page(t, "docs/contract.md")
	for field := range reflect.TypeFor[notification.Result]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("a result's field %s is missing", name)
		}
	}
	for _, status := range notification.Statuses {
		if !strings.Contains(text, "`"+string(status)+"`") {
			t.Errorf("the status %s is missing", status)
		}
		if rank := fmt.Sprintf("`%s` %d", status, status.Rank()); !strings.Contains(text, rank) {
			t.Errorf("the rank %q is missing", rank)
		}
	}
}

func TestOperationsHasEveryExitCode(t *testing.T) {
	text := page(t, "docs/operations.md")
	for _, code := range []int{
		daemon.ExitOK, daemon.ExitFault, daemon.ExitUsage, daemon.ExitCredentials, daemon.ExitStopped, daemon.ExitNoCampaign, daemon.ExitLeftover,
	} {
		if !strings.Contains(text, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("exit code %d is missing", code)
		}
	}
}

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

// TestDocumentationIsIndexed checks that each page of docs/ is in its index, and each decision in
// the index of decisions.
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
