package daemon

import (
	"context"
	"os"
	"time"
)

// sameWish is how close together two signals are one wish: timeout(1) and some supervisors signal a process and then its
// whole group.
const sameSignalInterval = 500 * time.Millisecond

// watchSignals waits for the wish to stop, then for the wish to stop at once. It returns when the body is done.
func (p *Process) watchSignals(ctx context.Context, signals <-chan os.Signal, drain time.Duration, done <-chan struct{}) {
	select {
	case <-done:
		return
	case sig := <-signals:
		p.stopFetching(sig.String())
	case <-ctx.Done():
		p.stopFetching(context.Cause(ctx).Error())
	}

	var over <-chan time.Time
	if drain > 0 {
		timer := time.NewTimer(drain)
		defer timer.Stop()
		over = timer.C
	}
	for first := time.Now(); ; {
		select {
		case <-done:
			return
		case sig := <-signals:
			if time.Since(first) < sameSignalInterval {
				continue
			}
			p.Logger.Warn("stopping at once: what is in flight is given up", "why", sig.String())
			p.cancelWork(ErrSecondSignal)
		case <-over:
			p.Logger.Warn("the time to drain is over: what is in flight is given up", "drain", drain)
			p.cancelWork(ErrDrainTimeout)
		}
		return
	}
}
