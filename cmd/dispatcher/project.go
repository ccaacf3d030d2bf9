package main

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
	"fanfare/internal/fleet"
	"fanfare/internal/pacing"
	"fanfare/internal/redact"
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
	projects, err := openAll(p, served, campaignID)
	if err != nil {
		return nil, err
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

// openAll makes what serves each project. Of several, one whose credentials cannot be used is
// halted and left out. It returns the first error if no project is left.
func openAll(p *daemon.Process, served []*sending.Rooms, campaignID string) ([]*project, error) {
	var projects []*project
	var refusal error
	for _, own := range served {
		one, err := open(p, own, campaignID, len(served) > 1)
		switch {
		case err == nil:
			projects = append(projects, one)
		case len(served) > 1 && isRefusal(err):
			haltRefused(p.FetchCtx(), own, err, func(ctx context.Context, reason string) error {
				governor, err := own.NewGovernor(own.Settings.FCM.ProjectID, assembly.Whoami(), nil)
				if err != nil {
					return err
				}
				return governor.Halt(ctx, reason)
			})
			if refusal == nil {
				refusal = err
			}
		default:
			return nil, err
		}
	}
	if len(projects) == 0 {
		return nil, refusal
	}
	return projects, nil
}

// isRefusal reports whether an error is about the credentials of one Firebase project.
func isRefusal(err error) bool {
	_, refused := errors.AsType[*fcm.CredentialsError](err)
	return refused
}

// haltRefused halts a project whose credentials are refused, so that everyone sees the reason. A
// dispatcher whose credentials are accepted resumes it.
func haltRefused(ctx context.Context, rooms *sending.Rooms, refusal error, halt func(ctx context.Context, reason string) error) {
	rooms.Logger.Error("credentials refused; the project is halted, the others are served", "error", refusal)
	if !rooms.Settings.Pacing.Enabled {
		return
	}
	if err := halt(ctx, pacing.RefusedCredentials+redact.Text(refusal.Error())); err != nil {
		rooms.Logger.Warn("project not halted; its campaigns wait without a reason", "error", err)
	}
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
// whose FCM is unreachable: the others begin. One whose credentials are refused does not end the
// others, either: it sends nothing until a probe is accepted.
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
	refused := 0
	for _, one := range projects {
		select {
		case err := <-one.reachable:
			if isRefusal(err) {
				refused++
			}
			if err != nil && (!isRefusal(err) || refused == len(projects)) {
				return err
			}
			one.reachable <- err
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
			err := <-one.reachable
			if isRefusal(err) && len(projects) > 1 {
				one.work.AwaitAcceptance()
				haltRefused(fetchCtx, one.rooms, err, one.work.Halt)
			} else if err != nil {
				return err
			}
			one.beat.SetPhase(fleet.Serving)
			return assignExitCode(one.work.Run(fetchCtx, p.WorkCtx()), campaignID)
		})
	}
	return group.Wait()
}
