package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/audience"
	"fanfare/internal/operator"
)

func (c *cli) campaignExport() *cobra.Command {
	var filter outcomeFilter
	format := string(audience.CSV)
	command := &cobra.Command{
		Use:   "export CAMPAIGN",
		Short: "Print the outcome of each recipient from SQL, as CSV or NDJSON",
		Long: `Print the outcome of each recipient from SQL, ordered by user, as CSV or NDJSON.

NDJSON has the objects of notification:responses. In CSV, a cell that begins with = + - @ or an apostrophe gets an apostrophe in front,
so that no spreadsheet runs it as a formula; to read a cell back, remove one. Use NDJSON for programs, and --json is NDJSON, too.`,
		Example:           "  fanfare campaign export 42 >42.csv\n  fanfare campaign export 42 --status failed --code UNREGISTERED --format ndjson",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			selected, err := filter.read(command)
			if err != nil {
				return err
			}
			if c.asJSON && !command.Flags().Changed("format") {
				format = string(audience.NDJSON)
			}
			if f := audience.Format(format); f != audience.CSV && f != audience.NDJSON {
				return wrongUsage(command, fmt.Errorf("there is no format %q: use %s or %s", format, audience.CSV, audience.NDJSON))
			}
			if c.asJSON && format == string(audience.CSV) {
				return wrongUsage(command, errors.New("--json and --format csv contradict each other"))
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				outcomes, err := op.Outcomes(ctx, args[0], selected)
				if err != nil {
					return explainRecords(args[0], err)
				}
				done, err := operator.WriteOutcomes(command.OutOrStdout(), audience.Format(format), outcomes)
				if err != nil {
					return fmt.Errorf("export stopped after %s: %w", plural(done.Rows, "outcome"), explainRecords(args[0], err))
				}
				if err := op.NoteExport(ctx, args[0], selected, done.Rows); err != nil {
					fmt.Fprintf(command.ErrOrStderr(), "fanfare: note: the export is complete, and not in the campaign's history: %v\n", err)
				}
				if done.Guarded > 0 {
					fmt.Fprintf(command.ErrOrStderr(), "fanfare: note: %s an apostrophe in front, against formulas in spreadsheets; --format ndjson has the values as they are\n", plural(done.Guarded, "cell")+" got")
				}
				return nil
			})
		},
	}
	filter.addTo(command.Flags(), "those")
	command.Flags().StringVar(&format, "format", format, "a `format`, csv or ndjson")
	return command
}
