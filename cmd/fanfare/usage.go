package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/daemon"
)

// wrongUsage returns an error in what was typed.
func wrongUsage(command *cobra.Command, err error) error {
	err = assembly.ExplainFlag(err)
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; see %s --help", err, command.CommandPath()))
}

// wantArgs requires as many arguments as the command's Use names.
func wantArgs(command *cobra.Command, args []string) error {
	want := arguments(command.Use)
	if len(args) == len(want) {
		return nil
	}
	takes := strings.Join(want, " ")
	if len(want) == 0 {
		takes = "no arguments"
	}
	return wrongUsage(command, fmt.Errorf("%s takes %s; %s given", nameOf(command), takes, plural(int64(len(args)), "argument")))
}

// nameOf is a command as it is typed after "fanfare".
func nameOf(command *cobra.Command) string {
	return strings.TrimPrefix(command.CommandPath(), command.Root().Name()+" ")
}

// arguments are the required words after the command's name, up to its flags and optional words.
func arguments(use string) []string {
	words := strings.Fields(use)[1:]
	if end := slices.IndexFunc(words, func(word string) bool { return strings.IndexAny(word, "-[") == 0 }); end >= 0 {
		return words[:end]
	}
	return words
}

// group makes a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	command := &cobra.Command{Use: use, Short: short, DisableFlagsInUseLine: true}
	makeGroup(command)
	command.AddCommand(below...)
	return command
}

func makeGroup(command *cobra.Command) {
	command.Args = cobra.ArbitraryArgs
	command.RunE = func(command *cobra.Command, args []string) error {
		if len(args) == 0 {
			return command.Help()
		}
		return unknownCommand(command, args[0])
	}
}

func unknownCommand(above *cobra.Command, name string) error {
	text := fmt.Sprintf("there is no command %q", strings.TrimPrefix(above.CommandPath()+" "+name, above.Root().Name()+" "))
	if similar := similarCommands(above, name); len(similar) > 0 {
		text += " (did you mean " + strings.Join(similar, " or ") + "?)"
	}
	return wrongUsage(above, errors.New(text))
}

// similarCommands are the commands one letter away from a word, else those two letters away.
func similarCommands(above *cobra.Command, name string) []string {
	for above.SuggestionsMinimumDistance = 1; above.SuggestionsMinimumDistance <= 2; above.SuggestionsMinimumDistance++ {
		if similar := above.SuggestionsFor(name); len(similar) > 0 {
			return similar
		}
	}
	return nil
}

// newHelp makes cobra's help command, but reports unknown commands.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		Args:  cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			found, rest, err := command.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(found, strings.Join(rest, " "))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// usageTemplate is cobra's, with one line of usage, and flags that fit a terminal.
const usageTemplate = `Usage:
  {{.UseLine}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- if .HasAvailableSubCommands}}{{$below := .Commands}}
{{- range $group := .Groups}}

{{.Title}}
{{- range $below}}{{if and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}
{{- end}}{{end}}{{end}}
{{- if not .Groups}}

Commands:
{{- range $below}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}
{{- end}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{- end}}
{{- if .HasAvailableInheritedFlags}}

Flags of all commands:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{- end}}
`
