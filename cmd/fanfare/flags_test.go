package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

// TestEveryNumberOnTheCommandLineIsBounded gives each numeric flag of each command a value far too
// large and one far too small.
func TestEveryNumberOnTheCommandLineIsBounded(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1") // a command that reaches Redis has not refused the number
	absurd := map[string][]string{
		"int": {"999999999999999", "-1"}, "int64": {"999999999999999", "-1"}, "float64": {"1e300", "-1", "NaN"}, "duration": {"2000000h", "-1s"},
	}
	numbers := 0
	eachCommand(newRoot(io.Discard, io.Discard), func(command *cobra.Command) {
		command.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
			for _, value := range absurd[flag.Value.Type()] {
				numbers++
				args := append(strings.Fields(command.CommandPath())[1:], slices.Repeat([]string{"x"}, len(arguments(command.Use))+strings.Count(command.Use, "[CAMPAIGN]"))...)
				if command.Flags().Lookup("message") != nil && flag.Name != "message" {
					args = append(args, "--message", "/nonexistent")
				}
				root := newRoot(io.Discard, io.Discard)
				root.SetArgs(append(args, "--"+flag.Name+"="+value))
				err := root.Execute()
				if daemon.ExitCode(err) != daemon.ExitUsage || !strings.Contains(err.Error(), "--"+flag.Name+" ") || !strings.Contains(err.Error(), "; use ") {
					t.Errorf("%s --%s=%s: exit %d, %v", command.CommandPath(), flag.Name, value, daemon.ExitCode(err), err)
				}
			}
		})
	})
	if numbers < 10 {
		t.Errorf("only %d numbers were tried", numbers)
	}
}

func eachCommand(command *cobra.Command, do func(*cobra.Command)) {
	if command.Runnable() {
		do(command)
	}
	for _, below := range command.Commands() {
		eachCommand(below, do)
	}
}

func TestReasonsThatCannotBeShown(t *testing.T) {
	for text, want := range map[string]string{
		"wrong link": "", "größer": "", "": "is empty", " ": "is empty",
		"two\nlines": "holds a control character", strings.Repeat("x", 501): "is longer than 500 bytes",
	} {
		reason := "by default"
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		addReason(flags, &reason, "a `text`")
		err := flags.Set("reason", text)
		if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
		if err == nil && reason != text {
			t.Errorf("%.20q: became %q", text, reason)
		}
	}
}

// config.yaml promises a flag for each key that is not secret. The help hides them, because they
// would drown a command's own flags.
func TestEverySettingHasAHiddenFlag(t *testing.T) {
	flags := newRoot(io.Discard, io.Discard).PersistentFlags()
	for _, key := range config.Describe() {
		if flag := flags.Lookup(key.Name); !key.Secret && (flag == nil || !flag.Hidden) {
			t.Errorf("%s: its flag is %+v, want a hidden one", key.Name, flag)
		}
	}
}

// A moment may be any time ago, but not a negative one.
func TestMoments(t *testing.T) {
	var at time.Time
	m := moment{&at}
	if err := m.Set("2h"); err != nil || time.Since(at) < 2*time.Hour || time.Since(at) > 3*time.Hour {
		t.Errorf("two hours ago is %s, %v", at, err)
	}
	for _, text := range []string{"-2h", "0s", "yesterday", "2026-01-31 09:30:00 CST", ""} {
		if err := m.Set(text); err == nil {
			t.Errorf("%q is taken for %s", text, at)
		}
	}
}

// A moment without a time zone is local time, as all moments are printed.
func TestMomentsAreInLocalTime(t *testing.T) {
	local := time.Local
	time.Local = time.FixedZone("east", 7*60*60)
	t.Cleanup(func() { time.Local = local })
	for text, want := range map[string]time.Time{
		"2026-01-31":                time.Date(2026, 1, 30, 17, 0, 0, 0, time.UTC),
		"2026-01-31 09:30:00":       time.Date(2026, 1, 31, 2, 30, 0, 0, time.UTC),
		"2026-01-31 09:30:00 east":  time.Date(2026, 1, 31, 2, 30, 0, 0, time.UTC),
		"2026-01-31 09:30:00 UTC":   time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
		"2026-01-31T09:30:00+01:00": time.Date(2026, 1, 31, 8, 30, 0, 0, time.UTC),
	} {
		var at time.Time
		if err := (moment{&at}).Set(text); err != nil || !at.Equal(want) {
			t.Errorf("%q is %s, %v, want %s", text, at.UTC(), err, want)
		}
	}
}

func TestSeparators(t *testing.T) {
	for text, want := range map[string]rune{"tab": '\t', `\t`: '\t', ";": ';', "§": '§', ";;": 0, "": 0, "\"": 0, "\n": 0, "\xff": 0} {
		got, err := readSeparator(text)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// A command refuses wrong combinations of flags before it connects to anything.
func TestFlagsThatDoNotGoTogether(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1")
	for want, line := range map[string]string{
		"--since is not before --until":     "tokens removed --since 2030-01-01 --until 2020-01-01",
		"--all restores every removed":      "tokens restore --all u1",
		"this would restore every":          "tokens restore",
		"this would replay every":           "dead replay",
		"this would delete every":           "dead purge",
		"is above pacing.max_gate":          "quota close --for 23h --fcm.project_id demo",
		"breaker.enabled is false":          "campaign pause 42 --platform ios --breaker.enabled=false",
		"there is no kind":                  "dead list --kind x",
		"--since is not before --until; se": "dead list --since 2030-01-01 --until 2020-01-01",
	} {
		root := newRoot(io.Discard, io.Discard)
		root.SetArgs(strings.Fields(line))
		err := root.ExecuteContext(t.Context())
		if daemon.ExitCode(err) != daemon.ExitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: exit %d, %v", line, daemon.ExitCode(err), err)
		}
	}
}

// A dry run needs no --all, so it gets as far as Redis.
func TestADryRunMayBeOfAll(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1")
	root := newRoot(io.Discard, io.Discard)
	root.SetArgs([]string{"dead", "replay", "--dry-run"})
	if err := root.ExecuteContext(t.Context()); daemon.ExitCode(err) == daemon.ExitUsage || err == nil {
		t.Errorf("got %v", err)
	}
}

// A reason may have 500 bytes.
func TestReasonsAsLongAsCanBe(t *testing.T) {
	if checkReason(strings.Repeat("x", 500)) != nil || checkReason(strings.Repeat("x", 501)) == nil {
		t.Error("500 bytes are the most")
	}
}
