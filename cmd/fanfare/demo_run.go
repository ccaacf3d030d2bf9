package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

// run starts the two daemons as production does, sends the campaign through them, and stops them as SIGTERM would.
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
	fetch, stop := context.WithCancel(ctx)
	defer stop()
	work := context.WithoutCancel(ctx)
	daemons, alive := errgroup.WithContext(fetch)
	daemons.Go(func() error { return d.dispatcher.Run(fetch, work) })
	daemons.Go(func() error { return d.responder.Run(fetch, work) })
	err = d.perform(alive)
	if err != nil && ctx.Err() != nil {
		err = daemon.WithExitCode(daemon.ExitLeftover, errors.New("interrupted"))
	}
	if err == nil && d.flags.keep {
		d.invite()
		<-ctx.Done()
	}
	stop()
	if failed := daemons.Wait(); failed != nil {
		err = failed // it is why the rest came to nothing
	}
	if err == nil {
		err = d.tidy(work)
	}
	return err
}

// perform is what an operator would type, one command after the other.
func (d *demo) perform(ctx context.Context) error {
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
	err = d.op.Watch(ctx, d.id, 200*time.Millisecond, line.draw)
	line.end()
	if err != nil {
		return fmt.Errorf("watch the campaign: %w", err)
	}
	return d.account(ctx, loaded, time.Since(started))
}

func (d *demo) load(ctx context.Context) (operator.LoadSummary, error) {
	file, err := openInput(d.command, d.flags.audience)
	if err != nil {
		return operator.LoadSummary{}, err
	}
	defer file.Close()
	summary, err := d.op.Load(ctx, d.id, file, operator.LoadOptions{
		Format: operator.FormatOf(d.flags.audience), MaxElement: int(d.rooms.Settings.Queue.MaxElement),
	})
	if err != nil {
		return summary, err
	}
	printSummary(d.w, d.id, summary)
	fmt.Fprintln(d.w)
	return summary, nil
}

// invite says what there is to look at.
func (d *demo) invite() {
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

// tidy removes what the demo wrote into a Redis that goes on without it, unless that is to be kept.
func (d *demo) tidy(ctx context.Context) error {
	if d.flags.redis == "" || d.flags.keep {
		return nil
	}
	_, purged := d.rooms.DeadLetters.Purge(ctx, responses.Filter{Campaign: d.id})
	return errors.Join(purged, d.rooms.Campaigns.Delete(ctx, d.id))
}
