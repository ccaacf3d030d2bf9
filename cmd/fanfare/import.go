package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/audience"
	"fanfare/internal/operator"
)

func (c *cli) imports() *cobra.Command {
	return group("import SERVICE", "Take over users and addresses from another push service", c.importPinpoint(), c.importOneSignal())
}

func (c *cli) importPinpoint() *cobra.Command {
	return c.importExport(audience.Pinpoint, &cobra.Command{
		Use:   "pinpoint FILE|-",
		Short: "Store the endpoints that Amazon Pinpoint exported",
		Long: `Store the endpoints of a segment or a project that Amazon Pinpoint exported: a JSON object on each line, plain or gzip.

Endpoints of the channel GCM with a user become devices of that user, with their platform, locale, time zone and EffectiveDate. Their
attributes and the user's become the profile of a user who has none. A user with OptOut ALL is suppressed. Other channels, inactive
endpoints, and those without a user or an FCM token are counted and left out. An import can be repeated.`,
		Example: `  fanfare import pinpoint endpoints.json.gz --dry-run
  zcat part-*.gz | fanfare import pinpoint -`,
	})
}

func (c *cli) importOneSignal() *cobra.Command {
	return c.importExport(audience.OneSignal, &cobra.Command{
		Use:   "onesignal FILE|-",
		Short: "Store the subscriptions that OneSignal exported as CSV",
		Long: `Store the subscriptions (players) that OneSignal exported as CSV, plain or gzip.

The export needs external_user_id, notification_types and timezone_id among its extra_fields. Subscriptions of Android with a user
become devices of that user, with their language, time zone and last_active. Tags become the profile of a user who has none. A user who
opted out is suppressed. Other device types, invalid identifiers, and those without a user or an FCM token are counted and left out. An
import can be repeated.`,
		Example: `  fanfare import onesignal users.csv.gz --dry-run`,
	})
}

// importExport makes a command that stores the export of a service.
func (c *cli) importExport(service audience.Service, command *cobra.Command) *cobra.Command {
	opts := operator.ExportOptions{Service: service}
	command.Args = wantArgs
	command.RunE = func(command *cobra.Command, args []string) error {
		return c.with(command, func(ctx context.Context, _ *sending.Rooms, op *operator.Operator) error {
			return c.importFile(command, args[0], "importing", "line", func(file io.Reader, progress func(int64)) (fileImport, error) {
				opts.Progress = progress
				summary, err := op.ImportExport(ctx, file, opts)
				return fileImport{summary, summary.Rejected, summary.LeftOut != nil, func(w io.Writer) { printExportSummary(w, summary) }}, err
			})
		})
	}
	command.Flags().BoolVar(&opts.DryRun, "dry-run", false, "count what would be stored, and store nothing")
	return command
}

func printExportSummary(w io.Writer, s operator.ExportSummary) {
	did, suppressed := "stored", "suppressed"
	if s.DryRun {
		did, suppressed = "would store", "would suppress"
	}
	fmt.Fprintf(w, "%s %s and %s in %s; %s rejected\n", did, plural(s.Addresses, "address"), plural(s.Profiles, "profile"), s.Took.Round(time.Millisecond), plural(s.Rejected, "line"))
	if s.Suppressed > 0 {
		fmt.Fprintf(w, "%s: %s\n", suppressed, plural(s.Suppressed, "user"))
	}
	if text := s.LeftOutText(); text != "" {
		fmt.Fprintln(w, indent(w, "left out: ", text))
	}
	printRejected(w, s.Errors, s.Rejected)
	for _, hint := range s.Hints {
		fmt.Fprintln(w, indent(w, "hint: ", printable(hint)))
	}
}
