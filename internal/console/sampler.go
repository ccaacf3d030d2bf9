package console

import (
	"context"
	"sync"
	"time"
)

const (
	sampleInterval = time.Second     // while someone looks
	idleInterval   = 5 * time.Second // while no one does, so that rates are known at once
	watchedFor     = 3 * time.Second // how long after its last look a page counts as looked at
)

// sampler takes one snapshot a second for all viewers.
type sampler struct {
	take func(ctx context.Context, before *Snapshot) *Snapshot
	now  func() time.Time

	mu       sync.Mutex
	current  *Snapshot
	changed  chan struct{} // closed when there is a newer snapshot
	askedAt  time.Time
	watchers int
	wake     chan struct{}
}

func newSampler(take func(ctx context.Context, before *Snapshot) *Snapshot, now func() time.Time) *sampler {
	return &sampler{take: take, now: now, changed: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// run takes snapshots until ctx ends.
func (s *sampler) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.refresh(ctx)
		s.pause(ctx)
	}
}

// refresh takes one snapshot and gives it to everyone who waits.
func (s *sampler) refresh(ctx context.Context) {
	snapshot := s.take(ctx, s.peek())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = snapshot
	close(s.changed)
	s.changed = make(chan struct{})
}

// pause waits for the next snapshot's time. A viewer who arrives ends a long wait.
func (s *sampler) pause(ctx context.Context) {
	tick := time.NewTimer(idleInterval)
	defer tick.Stop()
	soon := time.NewTimer(sampleInterval)
	defer soon.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			return
		case <-soon.C:
			if s.isWatched() {
				return
			}
		case <-s.wake:
			if s.isStale() {
				return
			}
		}
	}
}

func (s *sampler) isWatched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watchers > 0 || s.now().Sub(s.askedAt) < watchedFor
}

func (s *sampler) isStale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current == nil || s.now().Sub(s.current.At) >= sampleInterval
}

func (s *sampler) peek() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// latest returns a snapshot that is at most a second or two old.
func (s *sampler) latest(ctx context.Context) (*Snapshot, error) {
	s.mu.Lock()
	s.askedAt = s.now()
	current, changed := s.current, s.changed
	s.mu.Unlock()
	if current != nil && s.now().Sub(current.At) < 2*sampleInterval {
		return current, nil
	}
	s.poke()
	return s.await(ctx, changed)
}

// next returns the snapshot that follows one.
func (s *sampler) next(ctx context.Context, seen *Snapshot) (*Snapshot, error) {
	s.mu.Lock()
	current, changed := s.current, s.changed
	s.mu.Unlock()
	if current != seen {
		return current, nil
	}
	return s.await(ctx, changed)
}

func (s *sampler) await(ctx context.Context, changed <-chan struct{}) (*Snapshot, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-changed:
		return s.peek(), nil
	}
}

func (s *sampler) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// watch counts a viewer until leave is called.
func (s *sampler) watch() (leave func()) {
	s.mu.Lock()
	s.watchers++
	s.mu.Unlock()
	s.poke()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watchers--
	}
}
