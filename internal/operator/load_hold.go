package operator

import (
	"context"
	"errors"
	"time"

	"fanfare/internal/campaign"
)

// Bounds of LoadOptions.Hold for people. A batch must fit into the least.
const (
	MinHold     = batchRows
	DefaultHold = 1_000_000
	MaxHold     = 10_000_000
)

// roomInterval is how often a load that is held back looks for room. At 10,000 recipients a second
// that is 2,500 recipients, which take a few milliseconds to load.
const roomInterval = 250 * time.Millisecond

// openLoad opens a load. The lease of a loader that died is waited for; one that is renewed
// meanwhile belongs to a loader that runs.
func (o *Operator) openLoad(ctx context.Context, id string, appending bool) (*campaign.Loader, error) {
	var first *campaign.BusyError
	for {
		l, err := o.deps.Campaigns.Load(ctx, id, appending)
		busy, is := errors.AsType[*campaign.BusyError](err)
		if !is || first != nil && !busy.Until.Equal(first.Until) {
			return l, err
		}
		first = busy
		if err := pause(ctx, roomInterval); err != nil {
			return nil, err
		}
	}
}

// waitForRoom waits until n more recipients may be in Redis. The count is that after the last batch
// as long as there is room, so a load that is not held back asks nothing.
func (l *load) waitForRoom(ctx context.Context, n int64) error {
	if l.opts.Hold == 0 {
		return nil
	}
	for l.loader.CountOpen() > 0 && l.loader.CountOpen()+n > l.opts.Hold {
		state, err := l.renew(ctx, l.opts.Hold)
		if err != nil {
			return err
		}
		if l.opts.OnHold != nil && (!l.held || state != l.heldIn) {
			l.opts.OnHold(state)
		}
		l.held, l.heldIn = true, state
		if l.loader.CountOpen()+n <= l.opts.Hold {
			return nil
		}
		if err := pause(ctx, roomInterval); err != nil {
			return err
		}
	}
	return nil
}

// renew keeps the lease.
func (l *load) renew(ctx context.Context, limit int64) (state campaign.State, err error) {
	err = l.call(ctx, func(asking context.Context) (err error) {
		state, err = l.loader.Renew(asking, limit)
		return err
	})
	return state, err
}
