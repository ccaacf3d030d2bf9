package fcm

import (
	"context"
	"sync"
	"time"
)

// lookEvery is how often what is in trouble is tried again by itself. Whoever sends tries it much sooner.
const healthProbeInterval = 30 * time.Second

// lookout keeps Trouble from telling of what was mended long ago, when nobody has sent since.
type healthProber struct {
	transport  *singleSendTransport
	cancel     context.CancelFunc
	background sync.WaitGroup
}

func newHealthProber(ctx context.Context, c *singleSendTransport) *healthProber {
	l := &healthProber{transport: c}
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.background.Go(func() { l.run(ctx) })
	return l
}

func (l *healthProber) run(ctx context.Context) {
	tick := time.NewTicker(healthProbeInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.probeOnce(ctx)
		}
	}
}

// look is one tick. What fails is logged by the bearer or by the lanes.
func (l *healthProber) probeOnce(ctx context.Context) {
	if l.transport.health() != nil {
		_ = l.transport.connect(ctx)
	}
}

func (l *healthProber) close() {
	l.cancel()
	l.background.Wait()
}
