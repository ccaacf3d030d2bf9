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
	fetchRetryDelay = 2 * time.Second
	// doubtAge is how old a token must be for a 401 to be its fault. A younger one would be fetched again and again.
	minInvalidateAge = time.Minute
)

// bearer keeps one access token for all requests: one fetch at a time, ahead of the token's end and beside the sending.
type accessTokens struct {
	fetch func(context.Context) (*oauth2.Token, error)
	now   func() time.Time
	log   *slog.Logger

	runCtx     context.Context // ends with close
	cancel     context.CancelFunc
	background sync.WaitGroup

	current   atomic.Pointer[accessToken]
	mu        sync.Mutex
	closed    bool
	lastFetch *tokenFetch // under way, or the last
}

// access is a token as requests carry it.
type accessToken struct {
	header                        []string
	fetchedAt, renewAt, expiresAt time.Time
}

// flight is one fetch. Its outcome may be read once it is done.
type tokenFetch struct {
	done       chan struct{}
	finished   bool // under bearer.mu
	finishedAt time.Time
	token      *accessToken
	err        error
}

func newAccessTokens(ctx context.Context, c credentials, log *slog.Logger) *accessTokens {
	b := &accessTokens{fetch: c.fetchToken, now: time.Now, log: log}
	b.runCtx, b.cancel = context.WithCancel(ctx)
	return b
}

// access returns a token that is valid for a while. It waits only where there is none.
func (b *accessTokens) get(ctx context.Context) (*accessToken, error) {
	current, now := b.current.Load(), b.now()
	if current != nil && now.Before(current.renewAt) {
		return current, nil
	}
	f := b.renew(current, now)
	if current != nil && now.Before(current.expiresAt) {
		return current, nil
	}
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for an access token: %w", ctx.Err())
	}
}

// renew joins the fetch under way, or starts one. What another one fetched meanwhile, or failed to fetch just now, stands.
func (b *accessTokens) renew(current *accessToken, now time.Time) *tokenFetch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.lastFetch; f != nil {
		renewed := f.finished && f.token != nil && f.token != current && b.current.Load() == f.token
		failed := f.finished && f.err != nil && now.Before(f.finishedAt.Add(fetchRetryDelay))
		if !f.finished || renewed || failed {
			return f
		}
	}
	f := &tokenFetch{done: make(chan struct{})}
	b.lastFetch = f
	if b.closed {
		f.err, f.finished = errClosed, true
		close(f.done)
		return f
	}
	b.background.Go(func() { b.runFetch(f) })
	return f
}

func (b *accessTokens) runFetch(f *tokenFetch) {
	token, err := b.fetch(b.runCtx)
	now := b.now()
	if err != nil {
		b.log.Error("no access token for FCM", "error", err, "next_try", fetchRetryDelay)
	} else {
		f.token = newAccessToken(token, now)
		b.current.Store(f.token)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.finishedAt, f.err, f.finished = now, err, true
	close(f.done)
}

// trouble is why the last fetch failed; nil while there is a token that is still good.
func (b *accessTokens) health() error {
	if current := b.current.Load(); current != nil && b.now().Before(current.expiresAt) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lastFetch == nil || !b.lastFetch.finished {
		return nil
	}
	return b.lastFetch.err
}

func newAccessToken(t *oauth2.Token, now time.Time) *accessToken {
	a := &accessToken{header: []string{t.Type() + " " + t.AccessToken}, fetchedAt: now}
	life := t.Expiry.Sub(now)
	if t.Expiry.IsZero() {
		life = time.Hour // such a token is valid until it is refused
	}
	a.renewAt = now.Add(life - min(renewAhead, life/4))
	a.expiresAt = now.Add(life - min(expirySlack, life/4))
	return a
}

// doubt drops a token that FCM refused before its end, unless it is so new that another one would fare no better. It tells
// whether another one may.
func (b *accessTokens) invalidate(a *accessToken) bool {
	if b.now().Sub(a.fetchedAt) < minInvalidateAge {
		return false
	}
	b.current.CompareAndSwap(a, nil)
	return true
}

func (b *accessTokens) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.background.Wait()
}
