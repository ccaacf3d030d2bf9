// Command responder applies the results of pushes to SQL and keeps the dead letters.
package main

import (
	"os"
	"sync"
	"time"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/fleet"
	"fanfare/internal/threads"
)

func main() {
	threads.Relax()
	os.Exit(run())
}

func run() int { return program().Main() }

func program() assembly.Daemon {
	return assembly.Daemon{
		Name:  "responder",
		Short: "Apply the results of pushes to SQL and keep the dead letters",
		Long: `Apply the results of pushes to SQL and keep the dead letters.

A result is removed from Redis only after its row is committed. The database's schema is migrated at start, by one
replica at a time.`,
		Sections:     []string{"redis", "names", "queue", "responder", "store", "webhooks", "log", "http"},
		Listen:       func(s config.Settings) config.Address { return s.HTTP.Responder },
		DrainTimeout: func(s config.Settings) time.Duration { return s.Responder.Drain },
		Start:        start,
	}
}

func start(p *daemon.Process, rooms *assembly.Rooms) (work func() error, err error) {
	r, err := rooms.NewResponder()
	if err != nil {
		return nil, err
	}
	if err := rooms.CheckResultAccess(p.FetchCtx()); err != nil {
		return nil, err
	}
	events, err := rooms.NewWebhooks()
	if err != nil {
		return nil, err
	}
	p.Health.AddReady("database", rooms.Store.Ping)
	p.Health.AddReady("results", r.Ready)
	beat := rooms.StartHeartbeat(p, fleet.Process{Role: fleet.Responder}, r)
	if err := rooms.AwaitDatabase(p.FetchCtx(), p.Ready); err != nil {
		return nil, err
	}
	beat.SetPhase(fleet.Serving)
	return func() error {
		var delivering sync.WaitGroup
		defer delivering.Wait()
		delivering.Go(func() { events.Run(p.FetchCtx()) })
		return r.Run(p.FetchCtx(), p.WorkCtx())
	}, nil
}
