package readthrough_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/readthrough"
)

// counter is a source that tells of every id that two queries ask for at a time. One that was cancelled, and
// has only not noticed yet, does not count.
type counter struct {
	mu      sync.Mutex
	asking  map[string]context.Context
	doubled []string
}

func (s *counter) ask(ctx context.Context, ids []string) (map[string]string, error) {
	s.enter(ctx, ids)
	answers := make(map[string]string)
	for _, id := range ids {
		runtime.Gosched()
		answers[id] = "text " + id
	}
	s.exit(ctx, ids)
	return answers, nil
}

func (s *counter) enter(ctx context.Context, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if other := s.asking[id]; other != nil && other.Err() == nil && ctx.Err() == nil {
			s.doubled = append(s.doubled, id)
		}
		if ctx.Err() == nil {
			s.asking[id] = ctx
		}
	}
}

func (s *counter) exit(ctx context.Context, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if s.asking[id] == ctx {
			delete(s.asking, id)
		}
	}
}

func TestManyBatchesAtATime(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, connect(t, server.Addr()))
	source := &counter{asking: map[string]context.Context{}}
	c := b.cacheOf(source.ask)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				batch := rand.Perm(40)[:10]
				if batch[0]%4 == 0 {
					server.FlushAll()
				}
				checkBatch(b, c, batch, batch[1]%3 == 0)
			}
		})
	}
	wg.Wait()
	b.expect("ids asked for twice at a time", source.doubled, []string(nil))
}

// checkBatch looks a batch up; an impatient caller goes away at some moment.
func checkBatch(b *rig, c *readthrough.Cache[string], batch []int, impatient bool) {
	want := make(map[string]string)
	var ids []string
	for _, n := range batch {
		id := fmt.Sprint(n)
		ids = append(ids, id)
		want[id] = "text " + id
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	if impatient {
		go func() {
			for range rand.N(200) {
				runtime.Gosched()
			}
			cancel()
		}()
	}
	found, err := c.Lookup(ctx, ids)
	for _, id := range ids {
		if readthrough.IsUndecided(err, id) {
			delete(want, id)
		}
	}
	if !impatient {
		b.expect("error", err, nil)
	}
	b.expect("found", found, want)
}
