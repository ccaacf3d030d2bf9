package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/console"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

func (c *cli) campaignReport() *cobra.Command {
	file := ""
	command := &cobra.Command{
		Use:   "report CAMPAIGN",
		Short: "Report what became of a campaign, as text or as a page of HTML",
		Long: `Report what became of a campaign: its books, outcomes by code, rate, history, and what to do next.

--html writes one page with charts that loads nothing from elsewhere. Redis and SQL are read, and the report says which of them
know the campaign: SQL keeps it after Redis has forgotten it.`,
		Example:           "  fanfare campaign report 42\n  fanfare campaign report 42 --html report.html",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			if c.asJSON && file != "" {
				return wrongUsage(command, errors.New("--json and --html contradict each other"))
			}
			return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
				report, err := op.Report(ctx, args[0])
				if err != nil {
					return explainRecords(args[0], err)
				}
				if report.Problem != nil {
					fmt.Fprintf(command.ErrOrStderr(), "fanfare: note: SQL is left out: %v\n", report.Problem)
				}
				if file == "" {
					out := c.output(command)
					return out.show(report, func(io.Writer) { printReport(out, report) })
				}
				if err := writeReportFile(file, report); err != nil {
					return err
				}
				return c.output(command).done(nil, "wrote %s", printable(file))
			})
		},
	}
	command.Flags().StringVar(&file, "html", "", "write a page of HTML to this `file`")
	return command
}

// writeReportFile writes the page beside the file first, so that an interruption leaves no half of
// it.
func writeReportFile(file string, report *operator.Report) (err error) {
	part, err := os.CreateTemp(filepath.Dir(file), ".fanfare-report-*")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write the report: %w", err), os.Remove(part.Name()))
		}
	}()
	buffer := bufio.NewWriter(part)
	err = errors.Join(console.WriteReport(buffer, report), buffer.Flush(), part.Chmod(0o644), part.Close())
	if err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}

func printReport(o output, r *operator.Report) {
	title := "report on campaign " + printable(r.ID)
	if state := r.State(); state != "" {
		title += ": " + string(state)
	}
	terminal.Heading(o.w, title)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintln(o.w, o.indent(fmt.Sprintf("  %-9s ", name), printable(value)))
		}
	}
	if r.View != nil {
		field("name", r.View.Spec.Name)
		field("project", r.View.Spec.Project)
		field("reason", cmp.Or(operator.DescribeEnd(r.View.Spec, time.Now()), r.View.Spec.Reason))
	}
	start, end := r.Span()
	field("started", localTime(start))
	field("finished", localTime(end))
	if !start.IsZero() && !end.IsZero() {
		field("took", operator.Span(end.Sub(start).Round(time.Second)))
	}
	if rate := r.Rate(); rate > 0 {
		field("rate", operator.Decimal(rate)+" recipients a second")
	}
	if r.Written != nil && r.RemovedErr == nil {
		field("tokens", plural(r.Removed, "dead token")+" removed, of failed recipients")
	}
	if r.View != nil {
		field("devices", devicesText(r.View.Books.Devices))
		field("moved", movedText(r.View.Books.Moved))
	}
	field("from", r.Sources())
	for _, what := range r.Unread {
		field("unknown", what)
	}
	fmt.Fprintln(o.w)
	printReportBooks(o, r)
	printReportOutcomes(o, r)
	if r.View != nil {
		printWaves(o, r.View.Books.Waves)
	}
	printReportSteps(o, r)
	if len(r.History) > 0 {
		fmt.Fprintln(o.w, "\nhistory, the newest last")
		printHistory(o, r.ID, r.History)
	}
}

func printReportBooks(o output, r *operator.Report) {
	loaded, terms := r.Loaded()
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = operator.Thousands(t.N) + " " + t.Name
	}
	fmt.Fprintln(o.w, o.indent("books: ", fmt.Sprintf("%s loaded = %s", operator.Thousands(loaded), strings.Join(parts, " + "))))
	balance, _ := r.Balance()
	fmt.Fprintln(o.w, o.indent("       ", balance))
}

func printReportOutcomes(o output, r *operator.Report) {
	if r.Ended() == 0 {
		return
	}
	fmt.Fprintln(o.w)
	t := o.newTable(textColumn("OUTCOME"), textColumn("CODE"), numberColumn("RECIPIENTS"), numberColumn("SHARE"))
	for _, each := range r.Outcomes() {
		t.add(string(each.Status), cmp.Or(each.Code, "–"), operator.Thousands(each.N), operator.Share(each.N, r.Ended()))
	}
	t.rows = append(t.rows, rule)
	t.add("total", "", operator.Thousands(r.Ended()), "")
	t.print()
	for _, t := range choiceTables(o, r.Choices()) {
		fmt.Fprintln(o.w)
		t.print()
	}
}

func printReportSteps(o output, r *operator.Report) {
	for i, step := range r.Steps() {
		if i == 0 {
			fmt.Fprintln(o.w, "\nnext")
		}
		fmt.Fprintln(o.w, o.indent("  ", printable(step.Why)))
		if step.Command != "" {
			fmt.Fprintln(o.w, "    "+printable(step.Command))
		}
	}
}
