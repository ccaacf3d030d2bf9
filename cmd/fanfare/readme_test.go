package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/notification"
)

var update = flag.Bool("update", false, "write the table of settings into README.md")

const readmeFile = "../../README.md"

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The lines between which the table of settings stands.
const (
	tableBegins = "<!-- settings: written by go test ./cmd/fanfare -run TestReadmeHasEverySetting -update -->\n"
	tableEnds   = "<!-- settings end -->\n"
)

func TestReadmeHasEverySetting(t *testing.T) {
	text := readme(t)
	before, rest, begins := strings.Cut(text, tableBegins)
	got, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("README.md has no %q and %q", tableBegins, tableEnds)
	}
	want := settingsTable()
	if got == want {
		return
	}
	if !*update {
		t.Fatal("the table of settings in README.md is not that of internal/config; type: go test ./cmd/fanfare -run TestReadmeHasEverySetting -update")
	}
	if err := os.WriteFile(readmeFile, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
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

// Every line of a block of commands that calls fanfare is one that it takes.
func TestReadmeCommandsAreTaken(t *testing.T) {
	found := 0
	for line := range strings.Lines(readme(t)) {
		typed, ours := strings.CutPrefix(line, "fanfare ")
		if !ours {
			continue
		}
		found++
		typed, _, _ = strings.Cut(typed, " #")
		command, args, err := newRoot(io.Discard, io.Discard).Find(strings.Fields(quoted.ReplaceAllString(typed, "text")))
		if err == nil {
			err = command.ParseFlags(args)
		}
		if err == nil {
			err = command.ValidateArgs(command.Flags().Args())
		}
		if err != nil || command.HasSubCommands() && command.Name() != "config" {
			t.Errorf("%s: %v", strings.TrimSpace(line), err)
		}
	}
	if found < 10 {
		t.Errorf("only %d commands found", found)
	}
}

func TestReadmeHasEveryFieldAndExitCode(t *testing.T) {
	text := readme(t)
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
	}
	for _, code := range []int{
		daemon.ExitOK, daemon.ExitFault, daemon.ExitUsage, daemon.ExitCredentials, daemon.ExitStopped, daemon.ExitNoCampaign, daemon.ExitLeftover,
	} {
		if !strings.Contains(text, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("exit code %d is missing", code)
		}
	}
}
