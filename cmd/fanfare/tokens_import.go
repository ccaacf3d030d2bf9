package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
)

func (c *cli) tokensImport() *cobra.Command {
	var form fileForm
	command := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Store the addresses of a file (CSV or JSON with userId and fcmToken or fid) in Redis",
		Long: `Store the addresses of a file in Redis.

The file is an audience: CSV, NDJSON or a JSON array with userId and fcmToken, fid or, in JSON, devices. A token alone becomes the
user's token, in place of the one that is stored. An installation ID (FID), and an address with a platform or a locale, joins the
devices of its user; several lines of a user are several devices. A line with a value that cannot be its kind of address is rejected
and listed, and none of it is stored. An interrupted import can simply be repeated.`,
		Example: `  fanfare tokens import tokens.csv
  fanfare tokens import devices.csv      # userId,fid,platform,locale`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, args []string) error {
			format, separator, err := form.resolve(command, args[0])
			if err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				opts := operator.ImportOptions{Format: format, Separator: separator, MaxElement: int(rooms.Settings.Queue.MaxElement)}
				return c.importFile(command, args[0], "storing the addresses of", "line", func(file io.Reader, progress func(int64)) (fileImport, error) {
					opts.Progress = progress
					summary, err := op.ImportTokens(ctx, file, opts)
					return fileImport{summary, summary.Rejected, false, func(w io.Writer) { printStored(w, summary) }}, err
				})
			})
		},
	}
	form.addTo(command.Flags())
	return command
}

func printStored(w io.Writer, s operator.LoadSummary) {
	fmt.Fprintf(w, "stored %s in %s; %s rejected\n", plural(s.Loaded, "address"), s.Took.Round(time.Millisecond), plural(s.Rejected, "line"))
	printRows(w, s)
}
