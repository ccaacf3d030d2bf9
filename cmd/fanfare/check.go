package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

func (c *cli) check() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check everything that sending depends on: Redis, SQL, credentials, clock",
		Long: `Check everything that sending depends on: Redis (version, mode, memory, eviction policy, persistence, script rights),
SQL, the credentials for FCM and the way to it, and the clock. When something is not fit to send, it exits as a dispatcher would: with 2
when the settings are wrong, with 3 when credentials or permissions are refused, else with 1.`,
		Args: takes,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				findings := op.Check(ctx, rooms.Probes()...)
				if err := c.output(command).show(findings, func(w io.Writer) { printFindings(w, findings) }); err != nil {
					return err
				}
				return verdict(findings)
			})
		},
	}
}

func printFindings(w io.Writer, findings []checks.Finding) {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Name))
	}
	for _, f := range findings {
		fmt.Fprintln(w, indented(w, fmt.Sprintf("%-7s  %-*s  ", f.Grade, width, f.Name), printable(f.Detail)))
		if f.Advice != "" {
			fmt.Fprintln(w, indented(w, fmt.Sprintf("%7s  %-*s  → ", "", width, ""), printable(f.Advice)))
		}
	}
}

// verdict names all that is in the way.
func verdict(findings []checks.Finding) error {
	var failed []string
	code := daemon.ExitFault
	for _, f := range findings {
		if f.Grade != checks.Failure {
			continue
		}
		failed = append(failed, f.Name)
		if of := daemon.ExitCode(sending.AssignExitCode(f.Cause)); code == daemon.ExitFault || of == daemon.ExitUsage {
			code = max(code, of)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return daemon.WithExitCode(code, errors.New("not fit to send: "+strings.Join(failed, ", ")))
}
