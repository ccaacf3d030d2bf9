package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/preflight"
	"fanfare/internal/terminal"
)

func (c *cli) check() *cobra.Command {
	return c.ofProject(&cobra.Command{
		Use:   "check",
		Short: "Check everything that sending depends on: Redis, SQL, credentials, clock",
		Long: `Check everything that sending depends on: Redis (version, mode, memory, eviction policy, persistence, script rights),
SQL, the credentials for FCM and the way to it, and the clock. When something is not fit to send, it exits as a dispatcher would: with 2
when the settings are wrong, with 3 when credentials or permissions are refused, else with 1.`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				findings := op.Check(ctx, rooms.Probes()...)
				out := c.output(command)
				if err := out.show(findings, func(io.Writer) { printFindings(out, findings) }); err != nil {
					return err
				}
				return failureOf(findings)
			})
		},
	})
}

func printFindings(o output, findings []checks.Finding) {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Name))
	}
	for _, f := range findings {
		fmt.Fprintln(o.w, o.indent(fmt.Sprintf("%-7s  %-*s  ", f.Grade, width, f.Name), printable(f.Detail)))
		if f.Advice != "" {
			fmt.Fprintln(o.w, o.indent(fmt.Sprintf("%7s  %-*s  → ", "", width, ""), printable(f.Advice)))
		}
	}
}

// failureOf returns an error that names all failed findings, or nil. The highest code counts:
// refused credentials before wrong settings, and those before other faults.
func failureOf(findings []checks.Finding) error {
	var failed []string
	code := daemon.ExitFault
	for _, f := range findings {
		if f.Grade != checks.Failure {
			continue
		}
		failed = append(failed, f.Name)
		code = max(code, daemon.ExitCode(sending.AssignExitCode(f.Cause)))
	}
	if len(failed) == 0 {
		return nil
	}
	return daemon.WithExitCode(code, errors.New("not fit to send: "+strings.Join(failed, ", ")))
}

func (c *cli) campaignCheck() *cobra.Command {
	options := preflight.DefaultOptions()
	command := &cobra.Command{
		Use:   "check CAMPAIGN",
		Short: "Check a campaign before it is sent: audience, message, tokens, time and deadline",
		Long: `Check a campaign before it is sent, without sending anything.

It reads a sample of the list's head, middle and tail without claiming it, looks up tokens and profiles, and fills in the
message for each recipient. FCM validates the messages (validate_only, which counts against the quota). The forecast says when
the last push would go at the present quota, with its ramp, its gate and the pushes of other running campaigns. The command
exits with 1 if the campaign should not be sent as it is.`,
		Example:           "  fanfare campaign check 42\n  fanfare campaign check 42 --sample 1000 --json",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			err := errors.Join(checkRange(command, "sample", options.Sample, 1, maxSample),
				checkRange(command, "patience", options.Patience, time.Millisecond, maxPatience))
			if err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				report, err := runPreflight(ctx, rooms, op, args[0], options)
				if errors.Is(err, campaign.ErrNotFound) {
					return explainMove(ctx, op, args[0], err)
				}
				if err != nil {
					return explainCampaign(args[0], err)
				}
				out := c.output(command)
				if err := out.show(report, func(io.Writer) { printPreflight(out, report) }); err != nil {
					return err
				}
				return failureOf(report.Findings)
			})
		},
	}
	command.Flags().IntVar(&options.Sample, "sample", options.Sample, "how many `recipients` to look at")
	command.Flags().DurationVar(&options.Patience, "patience", options.Patience, "how long to wait for the quota and for FCM")
	return command
}

// runPreflight runs the preflight with FCM and the project's quota.
func runPreflight(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, id string, options preflight.Options) (preflight.Report, error) {
	rooms, err := rooms.ForCampaign(ctx, id)
	if err != nil {
		return preflight.Report{}, err
	}
	sender, err := rooms.NewSender(ctx)
	if err != nil {
		return preflight.Report{}, err
	}
	defer sender.Close()
	governor, err := rooms.NewGovernor(sender.Project(), "fanfare campaign check", nil)
	if err != nil {
		return preflight.Report{}, err
	}
	paceCtx, stop := context.WithCancel(ctx)
	var pace sync.WaitGroup
	pace.Go(func() { governor.Run(paceCtx) })
	defer pace.Wait()
	defer stop()
	options.Validator, options.Pacer, options.Limit = sender, governor, breakerLimits(rooms)
	checker := preflight.New(preflight.Deps{Operator: op, Campaigns: rooms.Campaigns, Tokens: rooms.Tokens, Profiles: rooms.Profiles, Suppressed: rooms.Suppressed, Caps: rooms.Caps})
	return checker.Run(ctx, id, options)
}

// breakerLimits returns the breaker's thresholds, or nil if the breaker is off.
func breakerLimits(rooms *sending.Rooms) func(breaker.Kind) breaker.Threshold {
	if !rooms.Settings.Breaker.Enabled {
		return nil
	}
	return rooms.Breakers.Limit
}

func printPreflight(o output, p preflight.Report) {
	terminal.Heading(o.w, fmt.Sprintf("campaign %s: %s of %s looked at, nothing sent", printable(p.ID), operator.Thousands(p.Sampled), plural(p.Recipients, "recipient")))
	fmt.Fprintln(o.w)
	printFindings(o, p.Findings)
	printHours(o, p.Forecast.Waves)
}
