package assembly

import (
	"errors"

	"fanfare/internal/daemon"
	"fanfare/internal/responder"
	"fanfare/internal/responses"
	"fanfare/internal/store"
)

// Responder makes a responder. It needs a database.
func (r *Rooms) NewResponder() (*responder.Responder, error) {
	if r.Store == nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, errors.New("no database is set: give DATABASE_URL, such as postgres://user:password@host/db?sslmode=verify-full or sqlite:fanfare.db"))
	}
	results, err := responses.NewQueue(r.Redis, r.Names, r.Settings.Queue.Lease)
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	o := responder.DefaultOptions()
	o.Batch, o.Workers = r.Settings.Responder.Batch, r.Settings.Responder.Workers
	made, err := responder.New(responder.Deps{
		Queue:       results,
		Applier:     r.Store,
		FaultOf:     store.FaultOf,
		DeadLetters: r.DeadLetters,
		Logger:      r.Logger,
		Registerer:  r.Registerer,
	}, o)
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return made, nil
}
