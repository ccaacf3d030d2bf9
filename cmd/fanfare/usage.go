package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/internal/daemon"
)

// wrongUsage is an error of whoever typed the command.
func wrongUsage(command *cobra.Command, err error) error {
	return daemon.Exit(daemon.ExitUsage, fmt.Errorf("%w; see %s --help", err, command.CommandPath()))
}

// takes wants as many arguments as the command's Use names.
func takes(command *cobra.Command, args []string) error {
	want := arguments(command.Use)
	if len(args) == len(want) {
		return nil
	}
	problem := fmt.Errorf("%s takes %s: %d given", command.CommandPath(), strings.Join(want, " "), len(args))
	if len(want) == 0 {
		problem = fmt.Errorf("%s takes no arguments: %d given", command.CommandPath(), len(args))
	}
	return wrongUsage(command, problem)
}

// arguments are the words behind the command's name, up to its flags and to what may be left out.
func arguments(use string) []string {
	words := strings.Fields(use)[1:]
	if end := slices.IndexFunc(words, func(word string) bool { return strings.IndexAny(word, "-[") == 0 }); end >= 0 {
		return words[:end]
	}
	return words
}

// group makes a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	command := &cobra.Command{
		Use: use, Short: short,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Help()
			}
			text := fmt.Sprintf("there is no command %s %s", command.CommandPath(), args[0])
			if similar := command.SuggestionsFor(args[0]); len(similar) > 0 {
				text += "; did you mean " + strings.Join(similar, " or ") + "?"
			}
			return wrongUsage(command, errors.New(text))
		},
	}
	command.AddCommand(below...)
	return command
}

// usageTemplate is cobra's, with one line of usage.
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
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{- end}}
{{- if .HasAvailableInheritedFlags}}

Flags of all commands:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{- end}}
`
