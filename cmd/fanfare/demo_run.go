package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/console"
	"fanfare/internal/daemon"
	"fanfare/internal/fleet"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

// run starts the two daemons as in production, sends the campaign, and stops the daemons as SIGTERM
// would.
func (d *demo) run(ctx context.Context) error {
	sender, err := d.rooms.NewSender(ctx)
	if err != nil {
		return err
	}
	defer sender.Close()
	if d.dispatcher, err = d.rooms.NewDispatcher(sender, ""); err != nil {
		return err
	}
	if d.responder, err = d.rooms.NewResponder(); err != nil {
		return err
	}
	defer d.listDaemons(ctx, sender.Project())()
	fetchCtx, stop := context.WithCancel(ctx)
	defer stop()
	workCtx := context.WithoutCancel(ctx)
	daemons, aliveCtx := errgroup.WithContext(fetchCtx)
	daemons.Go(func() error { return d.dispatcher.Run(fetchCtx, workCtx) })
	daemons.Go(func() error { return d.responder.Run(fetchCtx, workCtx) })
	if d.flags.keep {
		if err := d.openConsole(fetchCtx, daemons); err != nil {
			return err
		}
	}
	err = d.sendCampaign(aliveCtx)
	if err != nil && ctx.Err() != nil {
		err = daemon.WithExitCode(daemon.ExitLeftover, errors.New("interrupted"))
	}
	if err == nil && d.flags.keep {
		d.printHints()
		<-ctx.Done()
	}
	stop()
	if failed := daemons.Wait(); failed != nil {
		err = failed // this is the cause of the other errors
	}
	if err == nil {
		err = d.cleanUp(workCtx)
	}
	return err
}

// openConsole serves the console on a free port until ctx ends.
func (d *demo) openConsole(ctx context.Context, daemons *errgroup.Group) error {
	served, err := newConsole(ctx, d.rooms, d.op, consoleFlags{operate: true}, console.Tokens{})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the console: %w", err)
	}
	fmt.Fprintf(d.w, "console: http://%s/\n", listener.Addr())
	daemons.Go(func() error { return runConsole(ctx, served, listener) })
	return nil
}

// sendCampaign does what an operator would type, command by command.
func (d *demo) sendCampaign(ctx context.Context) error {
	if err := d.op.Create(ctx, campaign.Spec{ID: d.id, Message: d.message}); err != nil {
		return err
	}
	loaded, err := d.load(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := d.op.Start(ctx, d.id, operator.StartOptions{}); err != nil {
		return err
	}
	line := newProgressLine(d.w, false)
	err = d.op.Watch(ctx, d.id, 200*time.Millisecond, nil, line.draw)
	line.end()
	if err != nil {
		return fmt.Errorf("watch the campaign: %w", err)
	}
	return d.checkOutcome(ctx, loaded, time.Since(started))
}

func (d *demo) load(ctx context.Context) (operator.LoadSummary, error) {
	file, err := openInput(d.command, d.flags.audience)
	if err != nil {
		return operator.LoadSummary{}, err
	}
	defer file.Close()
	summary, err := d.op.Load(ctx, d.id, file, operator.LoadOptions{
		Format: audience.FormatOf(d.flags.audience), MaxElement: int(d.rooms.Settings.Queue.MaxElement),
	})
	if err != nil {
		return summary, err
	}
	printSummary(d.w, d.id, "line", summary)
	fmt.Fprintln(d.w)
	return summary, nil
}

// printHints prints commands for looking around.
func (d *demo) printHints() {
	fmt.Fprint(d.w, "\nstill running; in another terminal, after make and export PATH=$PWD/bin:$PATH:\n")
	for _, variables := range d.environment() {
		fmt.Fprintf(d.w, "  export %s\n", variables)
	}
	fmt.Fprintf(d.w, "  fanfare campaign show %s\n  fanfare dead list\n  fanfare check\n", d.id)
	if d.parts.fcm != nil {
		fmt.Fprintf(d.w, "  curl -s %s/counts\n", d.parts.fcm.URLs.Admin)
	}
	fmt.Fprintln(d.w, "stop with Ctrl-C")
}

// cleanUp removes what the demo wrote to a Redis that it did not start. With --keep everything
// stays.
func (d *demo) cleanUp(ctx context.Context) error {
	if d.flags.redis == "" || d.flags.keep {
		return nil
	}
	_, purged := d.rooms.DeadLetters.Purge(ctx, responses.Filter{Campaign: d.id})
	return errors.Join(purged, d.rooms.Campaigns.Delete(ctx, d.id))
}

// demoResult is the JSON of the demo.
type demoResult struct {
	Campaign operator.View        `json:"campaign"`
	Load     operator.LoadSummary `json:"load"`
	Pushes   int64                `json:"pushes"`
	Seconds  float64              `json:"seconds"`
	Rows     int64                `json:"rows"` // in SQL
}

// listDaemons lists both daemons in the fleet until they end.
func (d *demo) listDaemons(ctx context.Context, project string) (end func()) {
	sends := d.rooms.NewHeartbeat(fleet.Process{Role: fleet.Dispatcher, Project: project}, d.dispatcher)
	writes := d.rooms.NewHeartbeat(fleet.Process{Role: fleet.Responder}, d.responder)
	var stops []func(context.Context) error
	for _, beat := range []*fleet.Heartbeat{sends, writes} {
		beat.SetPhase(fleet.Serving)
		stops = append(stops, beat.Start(ctx))
	}
	return func() {
		for _, stop := range stops {
			_ = stop(context.WithoutCancel(ctx)) // it expires
		}
	}
}

// resultsTimeout limits the wait for the responder after the last push.
const resultsTimeout = time.Minute

// checkOutcome prints the outcome. It fails unless the books in Redis balance and SQL has the same
// sums.
func (d *demo) checkOutcome(ctx context.Context, loaded operator.LoadSummary, took time.Duration) error {
	view, err := d.op.Show(ctx, d.id)
	if err != nil {
		return err
	}
	waitCtx, stop := context.WithTimeout(ctx, resultsTimeout)
	defer stop()
	if err := d.responder.AwaitDrained(waitCtx); err != nil {
		return fmt.Errorf("wait %s for the responder to write all results to SQL: %w", resultsTimeout, err)
	}
	b := view.Books
	result := demoResult{Campaign: view, Load: loaded, Pushes: b.Sent + b.Failed, Seconds: took.Seconds(), Rows: b.CountEnded()}
	fmt.Fprintln(d.w)
	printOutcomes(output{w: d.w}, b)
	fmt.Fprintf(d.w, "%s pushes in %s: %s a second\n", operator.Thousands(result.Pushes), took.Round(10*time.Millisecond), operator.Thousands(perSecond(result.Pushes, took)))
	printBooks(d.w, b)
	if !b.IsBalanced() {
		return errors.New("the books do not balance")
	}
	if err := d.compareSQL(ctx, view); err != nil {
		return err
	}
	fmt.Fprintf(d.w, "sql:   %s rows, the same sums\n", operator.Thousands(result.Rows))
	if !d.c.asJSON {
		return nil
	}
	return d.c.output(d.command).show(result, func(io.Writer) {})
}

// compareSQL compares the database's sums with the books.
func (d *demo) compareSQL(ctx context.Context, view operator.View) error {
	summary, err := d.rooms.Store.Summary(ctx, d.id)
	if err != nil {
		return fmt.Errorf("read the summary in SQL: %w", err)
	}
	for status, n := range countsByStatus(view.Books) {
		if rows := summary.Counts[status]; rows != n {
			return fmt.Errorf("SQL has %d recipients %s, the books have %d", rows, status, n)
		}
	}
	return nil
}

// environment returns the variables that point other commands at the demo's servers, one line for
// each.
func (d *demo) environment() []string {
	s := d.rooms.Settings
	fcm := []string{"FCM_ENDPOINT=" + s.FCM.Endpoint.String()}
	if s.FCM.ProjectID != "" {
		fcm = append(fcm, "FCM_PROJECT_ID="+s.FCM.ProjectID)
	}
	if s.FCM.CAFile != "" {
		fcm = append(fcm, "FANFARE_FCM_CA_FILE="+s.FCM.CAFile)
	}
	lines := [][]string{
		{"REDIS_URL=" + s.Redis.URL.String()},
		{"DATABASE_URL=" + s.Store.DatabaseURL.String()},
		{"FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_STORE_TOKEN_CLEAR=off"},
		fcm,
		{"FANFARE_PACING_RAMP=" + s.Pacing.Ramp.String()},
	}
	if n := s.Names; d.flags.redis != "" {
		lines = append(lines, []string{
			"FANFARE_NAMES_CAMPAIGN_PREFIX=" + n.CampaignPrefix, "FANFARE_NAMES_USER_PREFIX=" + n.UserPrefix,
			"FANFARE_NAMES_PROFILE_PREFIX=" + n.ProfilePrefix, "FANFARE_NAMES_RESPONSES=" + n.Responses,
		})
	}
	joined := make([]string, len(lines))
	for i, variables := range lines {
		joined[i] = strings.Join(variables, " ")
	}
	return joined
}
