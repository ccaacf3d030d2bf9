package dispatcher

import (
	"context"
	"sync"
)

// slots counts the free places for recipients. A slot is taken before its recipient is claimed, so
// that few recipients wait here while another process has room.
type slots struct {
	mu    sync.Mutex
	free  int
	freed chan struct{} // has a signal when enough may be free
	want  int
}

func newSlots(n int) *slots { return &slots{free: n, freed: make(chan struct{}, 1)} }

// take waits until at least want slots are free, and takes up to limit of them. Claims for several
// recipients are worth their round trip. After ctx has ended it takes nothing, even if slots are
// free: recipients that a stop gives back would be claimed again.
func (s *slots) take(ctx context.Context, want, limit int) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		s.mu.Lock()
		if s.free >= want {
			n := min(s.free, limit)
			s.free -= n
			s.mu.Unlock()
			return n, nil
		}
		s.want = want
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-s.freed:
		}
	}
}

func (s *slots) release(n int) {
	s.mu.Lock()
	s.free += n
	enough := s.want > 0 && s.free >= s.want
	if enough {
		s.want = 0
	}
	s.mu.Unlock()
	if enough {
		signal(s.freed)
	}
}
