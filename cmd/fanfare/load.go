package main

import (
	"context"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
)

const loadHelp = `Load an audience into a campaign's list, before or after the campaign is created or started.

CSV names its columns in the first line: userId, and optionally fcmToken, fid, tag, platform, locale, timeZone and
quietHours; every other column fills the message's placeholder of its name. That line also shows whether commas,
semicolons, tabs or bars separate them. NDJSON has one recipient a line, as in the list itself; or a JSON array holds
them all. Parquet has the columns of CSV. Files compressed with gzip or zstd are opened, UTF-16 is read. Several files
are one audience, in their order. Lines that are not recipients are rejected and listed. An audience that is there
already is refused without --append. A load that was interrupted, or killed, continues with the same command: recipients
that are loaded already are skipped.

At most --hold recipients of the campaign are in Redis at a time. A larger audience is loaded as recipients are sent, so
start the campaign in another shell while the load waits; it says so. One load of a campaign runs at a time.

With --where, only the recipients that fit a condition are loaded. It names members of elements, columns, and members of
the profile such as profile.country. What a recipient lacks is nil.

With --from, the audience is the users of another campaign's outcomes in SQL, each once. Their tokens are looked up
again. Users who are suppressed are left out, and so are those who have had as many pushes as the caps allow.

Without a file, --from and --query, the audience is the source in the campaign's spec: see fanfare campaign create --source.
Its files are read here, and its query in the database of DATABASE_URL, so look at it first: fanfare campaign show.

With --query, the audience is the rows of a SELECT in the database of DATABASE_URL, PostgreSQL or SQLite. Its columns
are named as those of CSV; NULL leaves one out; numbers, booleans and JSON stay what they are. Rows are read in the
order of --key, a thousand at a time, so an index on it makes a page fast. The database cannot be written to by it.`

const loadExamples = `  fanfare load 42 audience.csv
  fanfare load 42 audience.csv.gz
  fanfare load 42 part-1.parquet part-2.csv.gz part-3.ndjson.zst
  zcat audience.ndjson.gz | fanfare load 42 -
  fanfare load 42 audience.csv --where 'platform == "ios" && country in ["VN", "TH"]'
  fanfare load 42
  fanfare load 43 --from 42 --status failed --code UNAVAILABLE
  fanfare load 43 --from 42 --status sent --older-than 24h
  fanfare load 44 --query 'SELECT id AS user_id, city FROM users WHERE paying' --key user_id`

func (c *cli) load() *cobra.Command {
	opts := operator.LoadOptions{Hold: operator.DefaultHold}
	var form fileForm
	var source loadSource
	var condition string
	command := &cobra.Command{
		Use:               "load CAMPAIGN [FILE|-] [FILE...]",
		Short:             "Load an audience (CSV, NDJSON, a JSON array, Parquet or SQL) into a campaign's list",
		Long:              loadHelp,
		Example:           loadExamples,
		Args:              source.args,
		ValidArgsFunction: c.completeLoad,
		RunE: func(command *cobra.Command, args []string) error {
			var err error
			if opts.Where, err = compileWhere(command, condition); err != nil {
				return err
			}
			if err := checkHold(command, opts.Hold); err != nil {
				return err
			}
			if source.campaign != "" {
				return c.loadOutcomes(command, source, args[0], opts)
			}
			if err := checkRange(command, "skip", opts.Skip, 0, maxSkip); err != nil {
				return err
			}
			if source.query.SQL != "" {
				return c.loadQuery(command, source.query, args[0], opts)
			}
			if len(args) == 1 {
				return c.loadSpecSource(command, args[0], opts)
			}
			files, err := resolveFiles(command, form, args[1:])
			if err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				opts.MaxElement, opts.Pace = int(rooms.Settings.Queue.MaxElement), findPaces(ctx, rooms)
				return c.loadFiles(ctx, command, op, args[0], files, opts)
			})
		},
	}
	f := command.Flags()
	f.BoolVar(&opts.Append, "append", false, "add to an audience that is there already")
	f.Int64Var(&opts.Skip, "skip", 0, "skip the first `n` recipients of the audience, whatever an interrupted load had loaded")
	f.Int64Var(&opts.Hold, "hold", opts.Hold, "wait while `n` recipients of the campaign are in Redis; 1,000 to 10,000,000, or 0 for no limit")
	f.StringVar(&condition, "where", "", "load only recipients that fit a `condition`, such as 'platform == \"ios\"'")
	form.addTo(f)
	source.addTo(f)
	return command
}

// checkHold refuses a limit that no load can keep.
func checkHold(command *cobra.Command, n int64) error {
	if n == 0 {
		return nil
	}
	return checkRange(command, "hold", n, operator.MinHold, operator.MaxHold)
}
