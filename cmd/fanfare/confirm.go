package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/terminal"
)

// errDeclined ends a command whose question was answered with no.
var errDeclined = errors.New("not confirmed: nothing was changed")

// confirmation asks before a command that cannot be undone. It asks people only: where standard
// input or standard error is no terminal, or with --json, commands act at once as scripts expect.
type confirmation struct{ yes bool }

func (q *confirmation) addTo(flags *pflag.FlagSet) {
	flags.BoolVar(&q.yes, "yes", false, "do it without asking; only a terminal is asked")
}

// isNeeded reports whether a person must be asked.
func (q *confirmation) isNeeded(c *cli, command *cobra.Command) bool {
	return !q.yes && !c.asJSON && terminal.IsInput(command.InOrStdin()) && terminal.Is(command.ErrOrStderr())
}

// ask prints the question with its effect in numbers, and returns errDeclined unless the answer is
// yes.
func (q *confirmation) ask(command *cobra.Command, question string, effects ...string) error {
	w := command.ErrOrStderr()
	for _, effect := range effects {
		fmt.Fprintln(w, indent(w, "  ", effect))
	}
	fmt.Fprintf(w, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(command.InOrStdin()).ReadString('\n') // the end of the input is no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errDeclined
}
