package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/daemon"
)

// TestEveryNumberOnTheCommandLineIsBounded gives every flag that is a number, of every command, far too much and far too little.
func TestEveryNumberOnTheCommandLineIsBounded(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1") // a command that gets as far as Redis has not refused the number
	absurd := map[string][]string{
		"int": {"999999999999999", "-1"}, "int64": {"999999999999999", "-1"}, "float64": {"1e300", "-1", "NaN"}, "duration": {"2000000h", "-1s"},
	}
	numbers := 0
	eachCommand(newRoot(io.Discard, io.Discard), func(command *cobra.Command) {
		command.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
			for _, value := range absurd[flag.Value.Type()] {
				numbers++
				args := append(strings.Fields(command.CommandPath())[1:], slices.Repeat([]string{"x"}, len(arguments(command.Use)))...)
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
