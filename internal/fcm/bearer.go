package fcm

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

const (
	// renewAhead is how long before its end an access token is renewed; a quarter of its life where that is shorter.
	renewAhead = 5 * time.Minute
	// expirySlack is left to a request to arrive while its token is valid.
	expirySlack = 10 * time.Second
	// fetchPause is how long a failed fetch stands for all who ask.
	fetchPause = 2 * time.Second
	// doubtAge is how old a token must be for a 401 to be its fault. A younger one would be fetched again and again.
	doubtAge = time.Minute
)

// bearer keeps one access token for all requests: one fetch at a time, ahead of the token's end and beside the sending.
type bearer struct {
	fetch func(context.Context) (*oauth2.Token, error)
	now   func() time.Time
	log   *slog.Logger

	alive context.Context // ends with close
	end   context.CancelFunc
	work  sync.WaitGroup

	current atomic.Pointer[access]
	mu      sync.Mutex
	closed  bool
	latest  *flight // under way, or the last
}

// access is a token as requests carry it.
type access struct {
	header                 []string
	since, renewAt, expiry time.Time
}

// flight is one fetch. Its outcome may be read once it is done.
type flight struct {
	done  chan struct{}
	ended bool // under bearer.mu
	at    time.Time
	got   *access
	err   error
}

func newBearer(ctx context.Context, c credentials, log *slog.Logger) *bearer {
	b := &bearer{fetch: c.fetch, now: time.Now, log: log}
	b.alive, b.end = context.WithCancel(ctx)
	return b
}

// access returns a token that is valid for a while. It waits only where there is none.
func (b *bearer) access(ctx context.Context) (*access, error) {
	held, now := b.current.Load(), b.now()
	if held != nil && now.Before(held.renewAt) {
		return held, nil
	}
	f := b.renew(held, now)
	if held != nil && now.Before(held.expiry) {
		return held, nil
	}
	select {
	case <-f.done:
		return f.got, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for an access token: %w", ctx.Err())
	}
}

// renew joins the fetch under way, or starts one. What another one fetched meanwhile, or failed to fetch just now, stands.
func (b *bearer) renew(held *access, now time.Time) *flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.latest; f != nil {
		renewed := f.ended && f.got != nil && f.got != held && b.current.Load() == f.got
		failed := f.ended && f.err != nil && now.Before(f.at.Add(fetchPause))
		if !f.ended || renewed || failed {
			return f
		}
	}
	f := &flight{done: make(chan struct{})}
	b.latest = f
	if b.closed {
		f.err, f.ended = errClosed, true
		close(f.done)
		return f
	}
	b.work.Go(func() { b.fly(f) })
	return f
}

func (b *bearer) fly(f *flight) {
	token, err := b.fetch(b.alive)
	now := b.now()
	if err != nil {
		b.log.Error("no access token for FCM", "error", err, "next_try", fetchPause)
	} else {
		f.got = newAccess(token, now)
		b.current.Store(f.got)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.at, f.err, f.ended = now, err, true
	close(f.done)
}

// trouble is why the last fetch failed; nil while there is a token that is still good.
func (b *bearer) trouble() error {
	if held := b.current.Load(); held != nil && b.now().Before(held.expiry) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.latest == nil || !b.latest.ended {
		return nil
	}
	return b.latest.err
}

func newAccess(t *oauth2.Token, now time.Time) *access {
	a := &access{header: []string{t.Type() + " " + t.AccessToken}, since: now}
	life := t.Expiry.Sub(now)
	if t.Expiry.IsZero() {
		life = time.Hour // such a token is valid until it is refused
	}
	a.renewAt = now.Add(life - min(renewAhead, life/4))
	a.expiry = now.Add(life - min(expirySlack, life/4))
	return a
}

// doubt drops a token that FCM refused before its end, unless it is so new that another one would fare no better. It tells
// whether another one may.
func (b *bearer) doubt(a *access) bool {
	if b.now().Sub(a.since) < doubtAge {
		return false
	}
	b.current.CompareAndSwap(a, nil)
	return true
}

func (b *bearer) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	b.work.Wait()
}
