package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
	"fanfare/internal/responder"
	"fanfare/internal/terminal"
)

type demoFlags struct {
	redis, database, fcmEndpoint string
	audience, message            string
	keep                         bool
}

func (c *cli) demo() *cobra.Command {
	var flags demoFlags
	command := &cobra.Command{
		Use:   "demo",
		Short: "Send a campaign of 10,000 in one process, with nothing else installed",
		Long: `Send a campaign of 10,000 recipients in one process.

What it is not given, it embeds: a Redis (miniredis), FCM (the simulator), a database (SQLite in a temporary file).
The dispatcher and the responder are those of production. On a Redis that is given, all its keys begin with "demo:", so that
it touches no other campaigns and results.`,
		Example: `  fanfare demo
  fanfare demo --keep
  fanfare demo --redis redis://localhost:6379 --database postgres://localhost/fanfare`,
		Args: wantArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.runDemo(command, flags) },
	}
	f := command.Flags()
	f.StringVar(&flags.redis, "redis", "", "use the Redis at this `URL` (redis://host:port) instead of the embedded one")
	f.StringVar(&flags.database, "database", "", "use the database at this `URL` (postgres://… or sqlite:path) instead of a temporary one")
	f.StringVar(&flags.fcmEndpoint, "fcm-endpoint", "", "send to this `URL` (a base such as https://host:port/v1) instead of the embedded simulator")
	f.StringVar(&flags.audience, "audience", "examples/audience.csv", "the `file` of the audience to load")
	f.StringVar(&flags.message, "message", "examples/message.json", "the `file` of the message to send")
	f.BoolVar(&flags.keep, "keep", false, "leave everything running afterwards, for looking around")
	return command
}

func (c *cli) runDemo(command *cobra.Command, flags demoFlags) error {
	ctx := command.Context()
	if flags.redis != "" { // the demo's flag is a shorter name
		if err := command.Flags().Set("redis.url", flags.redis); err != nil {
			return wrongUsage(command, err)
		}
	}
	s, err := c.readSettings(command)
	if err != nil {
		return err
	}
	if redact.HasCredential(flags.database) {
		fmt.Fprintln(command.ErrOrStderr(), "fanfare: warning:", config.ExposedFlag("--database", "DATABASE_URL"))
	}
	message, err := readInput(command, flags.message)
	if err != nil {
		return fmt.Errorf("%w; call the demo in Fanfare's own folder, or give --message and --audience", err)
	}
	parts, err := startEmbedded(ctx, &s, flags)
	if err != nil {
		return err
	}
	defer parts.close()
	d := &demo{c: c, command: command, flags: flags, parts: parts, message: message, w: command.OutOrStdout()}
	if c.asJSON {
		d.w = command.ErrOrStderr() // standard output is for the result
	}
	if err := d.open(ctx, s); err != nil {
		return err
	}
	defer d.rooms.Close()
	return d.run(ctx)
}

// demo is one run of the demo.
type demo struct {
	c       *cli
	command *cobra.Command
	flags   demoFlags
	parts   *embedded
	message []byte
	w       io.Writer

	id         string
	rooms      *sending.Rooms
	op         *operator.Operator
	dispatcher *sending.Dispatcher
	responder  *responder.Responder
}

// open opens the rooms as the daemons do.
func (d *demo) open(ctx context.Context, s config.Settings) error {
	log, err := daemon.NewLogger(d.command.ErrOrStderr(), "warn", s.Log.Format)
	if err != nil {
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	if d.rooms, err = sending.Open(ctx, s, "fanfare-demo", log, nil); err != nil {
		return err
	}
	d.op = d.rooms.NewOperator()
	d.id = "demo"
	if d.flags.redis != "" || d.flags.database != "" {
		d.id = time.Now().Format("demo-20060102-150405") // there may be earlier ones
	}
	return d.printParts(ctx)
}

// printParts prints what the demo runs on, and migrates the database.
func (d *demo) printParts(ctx context.Context) error {
	s := d.rooms.Settings
	terminal.Heading(d.w, "Fanfare demo: from a list in Redis to a push and a row in SQL")
	for _, part := range []struct{ name, given, standIn, address string }{
		{"redis", d.flags.redis, "embedded (miniredis)", s.Redis.URL.String()},
		{"fcm", d.flags.fcmEndpoint, "embedded (simulator, 40 ms)", s.FCM.Endpoint.String()},
		{"database", d.flags.database, "embedded (SQLite)", s.Store.DatabaseURL.String()},
	} {
		what := part.standIn
		if part.given != "" {
			what = "given"
		}
		fmt.Fprintf(d.w, "  %-9s %-28s %s\n", part.name, what, part.address)
	}
	fmt.Fprintf(d.w, "  %-9s %-28s %s\n\n", "pace", rateOf(d.rooms.FullRate())+" a second", "after a ramp of "+s.Pacing.Ramp.String())
	if err := d.rooms.Redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("reach Redis: %w", err)
	}
	if err := d.rooms.Store.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}
