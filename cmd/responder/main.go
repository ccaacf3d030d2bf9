// Command responder applies the results of pushes to SQL and keeps the dead letters.
package main

import (
	"os"
	"time"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

func main() { os.Exit(run()) }

func run() int { return program().Main() }

func program() assembly.Daemon {
	return assembly.Daemon{
		Name:  "responder",
		Short: "Apply the results of pushes to SQL and keep the dead letters",
		Long: `Apply the results of pushes to SQL and keep the dead letters.

A result is removed from Redis only after its row is committed. The database's schema is migrated at start, by one
replica at a time.`,
		Sections:     []string{"redis", "names", "queue", "responder", "store", "log", "http"},
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
	p.Health.AddReady("database", rooms.Store.Ping)
	p.Health.AddReady("results", r.Ready)
	if err := rooms.AwaitDatabase(p.FetchCtx(), p.Ready); err != nil {
		return nil, err
	}
	return func() error { return r.Run(p.FetchCtx(), p.WorkCtx()) }, nil
}
