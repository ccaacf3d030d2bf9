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
	// renewAhead is how long before its expiry a token is renewed, or a quarter of its lifetime if
	// that is shorter.
	renewAhead = 5 * time.Minute
	// expirySlack leaves a request time to arrive while its token is valid.
	expirySlack = 10 * time.Second
	// fetchRetryDelay is how long callers get the error of a failed fetch before the next attempt.
	fetchRetryDelay = 2 * time.Second
	// minInvalidateAge is the age from which a 401 is blamed on the token. A younger token would be
	// fetched over and over.
	minInvalidateAge = time.Minute
)

// accessTokens caches one access token for all requests. It renews the token before its expiry, in
// the background, with one fetch at a time.
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
	lastFetch *tokenFetch // in progress, or the most recent one
}

// accessToken is a token in the form that requests carry.
type accessToken struct {
	header                        []string
	fetchedAt, renewAt, expiresAt time.Time
}

// tokenFetch is one fetch. Its outcome may be read once done is closed.
type tokenFetch struct {
	done       chan struct{}
	finished   bool // guarded by accessTokens.mu
	finishedAt time.Time
	token      *accessToken
	err        error
}

func newAccessTokens(ctx context.Context, c credentials, log *slog.Logger) *accessTokens {
	a := &accessTokens{fetch: c.fetchToken, now: time.Now, log: log}
	a.runCtx, a.cancel = context.WithCancel(ctx)
	return a
}

// get returns a valid token. It waits only if there is none.
func (a *accessTokens) get(ctx context.Context) (*accessToken, error) {
	current, now := a.current.Load(), a.now()
	if current != nil && now.Before(current.renewAt) {
		return current, nil
	}
	f := a.renew(current, now)
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

// renew joins the fetch in progress or starts one. It returns the last fetch if that replaced the
// caller's token or has just failed.
func (a *accessTokens) renew(current *accessToken, now time.Time) *tokenFetch {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.lastFetch; f != nil {
		renewed := f.finished && f.token != nil && f.token != current && a.current.Load() == f.token
		failed := f.finished && f.err != nil && now.Before(f.finishedAt.Add(fetchRetryDelay))
		if !f.finished || renewed || failed {
			return f
		}
	}
	f := &tokenFetch{done: make(chan struct{})}
	a.lastFetch = f
	if a.closed {
		f.err, f.finished = errClosed, true
		close(f.done)
		return f
	}
	a.background.Go(func() { a.runFetch(f) })
	return f
}

func (a *accessTokens) runFetch(f *tokenFetch) {
	token, err := a.fetch(a.runCtx)
	now := a.now()
	if err != nil {
		a.log.Error("access token fetch failed", "error", err, "next_try", fetchRetryDelay)
	} else {
		f.token = newAccessToken(token, now)
		a.current.Store(f.token)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	f.finishedAt, f.err, f.finished = now, err, true
	close(f.done)
}

// health returns the error of the last fetch, or nil while there is a valid token.
func (a *accessTokens) health() error {
	if current := a.current.Load(); current != nil && a.now().Before(current.expiresAt) {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lastFetch == nil || !a.lastFetch.finished {
		return nil
	}
	return a.lastFetch.err
}

func newAccessToken(t *oauth2.Token, now time.Time) *accessToken {
	a := &accessToken{header: []string{t.Type() + " " + t.AccessToken}, fetchedAt: now}
	life := t.Expiry.Sub(now)
	if t.Expiry.IsZero() {
		life = time.Hour // such a token is valid until FCM refuses it
	}
	a.renewAt = now.Add(life - min(renewAhead, life/4))
	a.expiresAt = now.Add(life - min(expirySlack, life/4))
	return a
}

// invalidate drops a token that FCM refused before its expiry. It keeps a new token, because
// another one would be refused as well. It reports whether another token may be accepted.
func (a *accessTokens) invalidate(refused *accessToken) bool {
	if a.now().Sub(refused.fetchedAt) < minInvalidateAge {
		return false
	}
	a.current.CompareAndSwap(refused, nil)
	return true
}

func (a *accessTokens) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.background.Wait()
}
