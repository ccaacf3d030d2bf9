package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/responder"
)

type demoFlags struct {
	redis, database, fcmEndpoint string
	audience, message            string
	keep                         bool
}

// demoCampaign is the id of the demo's campaign.
const demoCampaign = "demo"

func (c *cli) demo() *cobra.Command {
	var flags demoFlags
	command := &cobra.Command{
		Use:   "demo",
		Short: "Send a campaign of 10,000 in one process, with nothing else installed",
		Long: `Send a campaign of 10,000 recipients in one process.

What it is not given, it embeds: a Redis (miniredis), FCM (the simulator), a database (SQLite in a temporary file).
The dispatcher and the responder are those of production.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.runDemo(command, flags) },
	}
	f := command.Flags()
	f.StringVar(&flags.redis, "redis", "", "use this Redis (redis://host:port) instead of the embedded one")
	f.StringVar(&flags.database, "database", "", "use this database (postgres://… or sqlite:path) instead of a temporary one")
	f.StringVar(&flags.fcmEndpoint, "fcm-endpoint", "", "send here (a base such as https://host:port/v1) instead of the embedded simulator")
	f.StringVar(&flags.audience, "audience", "examples/audience.csv", "the audience to load")
	f.StringVar(&flags.message, "message", "examples/message.json", "the message to send")
	f.BoolVar(&flags.keep, "keep", false, "leave everything running afterwards, for looking around")
	return command
}

func (c *cli) runDemo(command *cobra.Command, flags demoFlags) error {
	s, err := wire.Settings(c.file, command.Flags())
	if err != nil {
		return err
	}
	ctx := command.Context()
	parts, err := embed(ctx, &s, flags)
	if err != nil {
		return err
	}
	defer parts.close()
	log, err := daemon.NewLogger(command.ErrOrStderr(), "warn", s.Log.Format)
	if err != nil {
		return daemon.Exit(daemon.ExitUsage, err)
	}
	rooms, err := wire.Open(ctx, s, "fanfare-demo", log, nil)
	if err != nil {
		return err
	}
	defer rooms.Close()
	d := &demo{c: c, command: command, rooms: rooms, op: rooms.Operator(), flags: flags, w: command.OutOrStdout()}
	d.introduce(parts)
	return d.run(ctx)
}

// demo is one run of the main job.
type demo struct {
	c       *cli
	command *cobra.Command
	rooms   *wire.Rooms
	op      *operator.Operator
	flags   demoFlags
	w       io.Writer

	responder *responder.Responder
}

func (d *demo) introduce(parts *embedded) {
	say := func(part, what string, isEmbedded bool, address string) {
		if !isEmbedded {
			what = "given"
		}
		fmt.Fprintf(d.w, "  %-9s %-28s %s\n", part, what, address)
	}
	s := d.rooms.Settings
	fmt.Fprintln(d.w, "Fanfare demo: a campaign from a Redis list to a push and a row in SQL")
	say("redis", "embedded (miniredis)", d.flags.redis == "", s.Redis.URL.String())
	say("fcm", "embedded simulator, ~40 ms", d.flags.fcmEndpoint == "", s.FCM.Endpoint.String())
	say("database", "embedded (SQLite)", d.flags.database == "", s.Store.DatabaseURL.String())
	fmt.Fprintln(d.w)
}

// run starts the two daemons as production does, sends the campaign through them, and stops them as SIGTERM would.
func (d *demo) run(ctx context.Context) error {
	if err := d.rooms.Store.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	sender, err := d.rooms.Sender(ctx)
	if err != nil {
		return err
	}
	defer sender.Close()
	dispatcher, err := d.rooms.Dispatcher(sender, "")
	if err != nil {
		return err
	}
	if d.responder, err = d.rooms.Responder(); err != nil {
		return err
	}
	fetch, stop := context.WithCancel(ctx)
	defer stop()
	work := context.WithoutCancel(ctx)
	var daemons errgroup.Group
	daemons.Go(func() error { return dispatcher.Run(fetch, work) })
	daemons.Go(func() error { return d.responder.Run(fetch, work) })
	err = d.send(fetch)
	if err == nil && d.flags.keep {
		fmt.Fprintln(d.w, "\nstill running, with all its parts; stop with Ctrl-C")
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, daemons.Wait())
}

// send is what an operator would type, one command after the other.
func (d *demo) send(ctx context.Context) error {
	text, err := os.ReadFile(d.flags.message)
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if err := d.op.Create(ctx, campaign.Spec{ID: demoCampaign, Message: text}); err != nil {
		return err
	}
	if err := d.c.loadFile(ctx, d.command, d.op, demoCampaign, d.flags.audience, operator.LoadOptions{Format: operator.FormatOf(d.flags.audience)}); err != nil {
		return err
	}
	fmt.Fprintln(d.w)
	started := time.Now()
	if err := d.rooms.Campaigns.Move(ctx, demoCampaign, campaign.Running, ""); err != nil {
		return err
	}
	line := newProgressLine(d.w, false)
	err = d.op.Watch(ctx, demoCampaign, 250*time.Millisecond, line.draw)
	line.end()
	if err != nil {
		return err
	}
	return d.account(ctx, time.Since(started))
}

// account shows what came of it, and fails unless Redis' books balance and SQL says the same.
func (d *demo) account(ctx context.Context, took time.Duration) error {
	view, err := d.op.Show(ctx, demoCampaign)
	if err != nil {
		return err
	}
	if err := d.responder.AwaitDrained(ctx); err != nil {
		return fmt.Errorf("wait for the results to be in SQL: %w", err)
	}
	fmt.Fprintln(d.w)
	printOutcomes(d.w, view.Books)
	pushes := view.Books.Sent + view.Books.Failed
	fmt.Fprintf(d.w, "\n%s pushes in %s: %s a second\n", thousands(pushes), took.Round(10*time.Millisecond), thousands(int64(float64(pushes)/took.Seconds())))
	printBooks(d.w, view.Books)
	if !view.Books.Balanced() {
		return errors.New("the books do not balance")
	}
	return d.compare(ctx, view)
}

// compare holds the database's sums against the books.
func (d *demo) compare(ctx context.Context, view operator.View) error {
	summary, err := d.rooms.Store.Summary(ctx, demoCampaign)
	if err != nil {
		return fmt.Errorf("read the summary in SQL: %w", err)
	}
	for status, n := range byStatus(view.Books) {
		if rows := summary.Counts[status]; rows != n {
			return fmt.Errorf("SQL has %d recipients %s, the books have %d", rows, status, n)
		}
	}
	fmt.Fprintf(d.w, "sql: %s rows, the same sums\n", thousands(view.Books.Ended()))
	return nil
}
