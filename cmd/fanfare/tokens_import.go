package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/audience"
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
				return c.importFile(ctx, command, op, args[0], opts)
			})
		},
	}
	form.addTo(command.Flags())
	return command
}

func (c *cli) importFile(ctx context.Context, command *cobra.Command, op *operator.Operator, name string, opts operator.ImportOptions) error {
	file, err := openInput(command, name)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := newFileBar(command.ErrOrStderr(), sizeOf(file), "storing the addresses of", "line")
	opts.Progress = bar.count
	summary, err := op.ImportTokens(ctx, bar.observe(file), opts)
	bar.clear()
	if file, ok := errors.AsType[*audience.FileError](err); ok {
		return nameFile(name, file)
	}
	if err != nil && summary.Rejected == 0 {
		return err
	}
	shown := c.output(command).show(summary, func(w io.Writer) {
		fmt.Fprintf(w, "stored %s in %s; %s rejected\n", plural(summary.Loaded, "address"), summary.Took.Round(time.Millisecond), plural(summary.Rejected, "line"))
		printRows(w, summary)
	})
	if err != nil {
		return err
	}
	return shown
}
