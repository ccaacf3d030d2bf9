package assembly

import (
	"context"
	"os"
	"time"

	"fanfare/internal/daemon"
	"fanfare/internal/fleet"
)

// NewHeartbeat makes the heartbeat of this process, which needs its role and what it serves.
func (r *Rooms) NewHeartbeat(process fleet.Process, worker fleet.Worker) *fleet.Heartbeat {
	process.Version, process.PID, process.StartedAt = daemon.Version(), os.Getpid(), time.Now().UTC()
	process.Host, _ = os.Hostname() // shown to people
	return r.Fleet.NewHeartbeat(process, worker, r.Logger)
}

// StartHeartbeat lists a daemon in the fleet until it stops. A stop removes it after its work has
// ended, so that a drain stays visible.
func (r *Rooms) StartHeartbeat(p *daemon.Process, process fleet.Process, worker fleet.Worker) *fleet.Heartbeat {
	beat := r.NewHeartbeat(process, worker)
	stop := beat.Start(p.WorkCtx())
	detach := context.AfterFunc(p.FetchCtx(), func() { beat.SetPhase(fleet.Stopping) })
	p.OnStop("heartbeat", func(ctx context.Context) error {
		detach()
		if err := stop(ctx); err != nil {
			r.Logger.Info("heartbeat not removed; it expires", "error", err)
		}
		return nil // no work is lost
	})
	return beat
}
