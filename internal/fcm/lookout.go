package fcm

import (
	"context"
	"sync"
	"time"
)

// lookEvery is how often what is in trouble is tried again by itself. Whoever sends tries it much sooner.
const lookEvery = 30 * time.Second

// lookout keeps Trouble from telling of what was mended long ago, when nobody has sent since.
type lookout struct {
	courier *courier
	end     context.CancelFunc
	work    sync.WaitGroup
}

func newLookout(ctx context.Context, c *courier) *lookout {
	l := &lookout{courier: c}
	ctx, l.end = context.WithCancel(context.WithoutCancel(ctx))
	l.work.Go(func() { l.run(ctx) })
	return l
}

func (l *lookout) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.look(ctx)
		}
	}
}

// look is one tick. What fails is logged by the bearer or by the lanes.
func (l *lookout) look(ctx context.Context) {
	if l.courier.trouble() != nil {
		_ = l.courier.prepare(ctx)
	}
}

func (l *lookout) close() {
	l.end()
	l.work.Wait()
}
