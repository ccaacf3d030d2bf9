package main

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
	"fanfare/internal/fleet"
)

// project is what serves one Firebase project: it has its own connections, quota, breakers and pool
// of pushes, so that a project that stands still does not slow the others.
type project struct {
	rooms     *sending.Rooms
	sender    *fcm.Sender
	work      *sending.Dispatcher
	beat      *fleet.Heartbeat
	reachable chan error // the result of the wait for FCM
}

// start prepares all projects that are served, and returns their work.
func start(p *daemon.Process, rooms *sending.Rooms, campaignID string) (work func() error, err error) {
	served, err := findServed(p.FetchCtx(), rooms, campaignID)
	if err != nil {
		return nil, err
	}
	if err := rooms.CheckQueries(p.FetchCtx()); err != nil {
		return nil, err
	}
	projects := make([]*project, len(served))
	for i, own := range served {
		if projects[i], err = open(p, own, campaignID, len(served) > 1); err != nil {
			return nil, err
		}
	}
	if err := awaitAll(p, projects); err != nil {
		return nil, err
	}
	return func() error { return serveAll(p, projects, campaignID) }, nil
}

// findServed returns the rooms of each project that is served. A campaign's Job serves the
// campaign's project.
func findServed(ctx context.Context, rooms *sending.Rooms, campaignID string) ([]*sending.Rooms, error) {
	if campaignID == "" || len(rooms.Settings.Projects) == 0 {
		return rooms.Served()
	}
	own, err := rooms.ForCampaign(ctx, campaignID)
	if err != nil {
		return nil, assignExitCode(err, campaignID)
	}
	return []*sending.Rooms{own}, nil
}

// open makes what serves a project, and registers its checks. With several projects, each check is
// named after its own.
func open(p *daemon.Process, rooms *sending.Rooms, campaignID string, several bool) (_ *project, err error) {
	made := &project{rooms: rooms, reachable: make(chan error, 1)}
	if made.sender, err = rooms.NewSender(p.WorkCtx()); err != nil {
		return nil, err
	}
	id := made.sender.Project()
	p.OnStop("connections to FCM", func(context.Context) error { return made.sender.Close() })
	for name, check := range rooms.ReadyChecks(made.sender) {
		if several {
			name += " of " + id
		}
		p.Health.AddReady(name, check)
	}
	if err := rooms.CheckSenderAccess(p.FetchCtx(), id); err != nil {
		return nil, err
	}
	if made.work, err = rooms.NewDispatcher(made.sender, campaignID); err != nil {
		return nil, err
	}
	made.beat = rooms.StartHeartbeat(p, fleet.Process{Role: fleet.Dispatcher, Project: id, Campaign: campaignID}, made.work)
	return made, nil
}

// awaitAll waits until FCM is reachable for each project. Of several, it does not wait for one
// whose FCM is unreachable: the others begin.
func awaitAll(p *daemon.Process, projects []*project) error {
	var begun sync.WaitGroup
	for _, one := range projects {
		begun.Add(1)
		var once sync.Once
		done := func() { once.Do(begun.Done) }
		go func() {
			defer done()
			one.reachable <- sending.AwaitFCM(p.FetchCtx(), one.sender, one.rooms.Logger, func() {
				p.Ready()
				if len(projects) > 1 {
					done()
				}
			})
		}()
	}
	begun.Wait()
	for _, one := range projects {
		select {
		case err := <-one.reachable:
			if err != nil {
				return err
			}
			one.reachable <- nil
		default: // it still waits
		}
	}
	return nil
}

// serveAll runs all projects until they are done. If one fails, the others stop gracefully.
func serveAll(p *daemon.Process, projects []*project, campaignID string) error {
	group, fetchCtx := errgroup.WithContext(p.FetchCtx())
	for _, one := range projects {
		group.Go(func() error {
			if err := <-one.reachable; err != nil {
				return err
			}
			one.beat.SetPhase(fleet.Serving)
			return assignExitCode(one.work.Run(fetchCtx, p.WorkCtx()), campaignID)
		})
	}
	return group.Wait()
}
