package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

func (c *cli) check() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check everything that sending depends on: Redis, SQL, credentials, clock",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, rooms *wire.Rooms, op *operator.Operator) error {
				findings := op.Check(ctx, rooms.Probes()...)
				if err := c.output(command).show(findings, func(w io.Writer) { printFindings(w, findings) }); err != nil {
					return err
				}
				for _, f := range findings {
					if f.Grade == operator.Failure {
						return daemon.Exit(daemon.ExitFault, errors.New("something is not fit to send; see above"))
					}
				}
				return nil
			})
		},
	}
}

func printFindings(w io.Writer, findings []operator.Finding) {
	table(w, func(w io.Writer) {
		for _, f := range findings {
			fmt.Fprintf(w, "%s\t%s\t%s\n", f.Grade, f.Name, f.Detail)
			if f.Advice != "" {
				fmt.Fprintf(w, "\t\t→ %s\n", f.Advice)
			}
		}
	})
}
