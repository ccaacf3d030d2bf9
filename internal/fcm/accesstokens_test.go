package fcm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
)

// tokenEndpoint takes a second for each token. Tokens are valid for an hour.
type tokenEndpoint struct {
	mu    sync.Mutex
	made  int
	fault error
}

func (m *tokenEndpoint) fetch(ctx context.Context) (*oauth2.Token, error) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made++
	if m.fault != nil {
		return nil, m.fault
	}
	return &oauth2.Token{AccessToken: fmt.Sprint("t", m.made), Expiry: time.Now().Add(time.Hour)}, nil
}

func (m *tokenEndpoint) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = err
}

func (m *tokenEndpoint) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.made
}

func withTokenEndpoint(t *testing.T, f func(t *testing.T, m *tokenEndpoint, b *accessTokens)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := new(tokenEndpoint)
		b := newAccessTokens(t.Context(), credentials{}, slog.New(slog.DiscardHandler))
		b.fetch = m.fetch
		defer b.close()
		f(t, m, b)
	})
}

// pass advances the bubble's clock.
func pass(d time.Duration) { <-time.After(d) }

func mustAccess(t *testing.T, b *accessTokens) *accessToken {
	t.Helper()
	a, err := b.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAThousandSendsFetchOneToken(t *testing.T) {
	withTokenEndpoint(t, func(t *testing.T, m *tokenEndpoint, b *accessTokens) {
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if a := mustAccess(t, b); a.header[0] != "Bearer t1" {
					t.Errorf("got %q", a.header)
				}
			})
		}
		all.Wait()
		if n := m.count(); n != 1 {
			t.Errorf("%d fetched", n)
		}
	})
}

// A renewal runs in the background before the old token expires, so no request waits for it.
func TestATokenIsRenewedAheadOfItsEnd(t *testing.T) {
	withTokenEndpoint(t, func(t *testing.T, m *tokenEndpoint, b *accessTokens) {
		mustAccess(t, b)
		pass(time.Hour - renewAhead)
		start := time.Now()
		for range 10 {
			if a := mustAccess(t, b); a.header[0] != "Bearer t1" {
				t.Errorf("got %q while renewing", a.header)
			}
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %s", waited)
		}
		pass(2 * time.Second)
		if a := mustAccess(t, b); a.header[0] != "Bearer t2" || m.count() != 2 {
			t.Errorf("got %q after %d fetches", a.header, m.count())
		}
	})
}

// While the endpoint fails, the old token is used until it expires. After that a failure is kept
// for a while, which spares the endpoint a burst.
func TestATokenThatCannotBeRenewed(t *testing.T) {
	withTokenEndpoint(t, func(t *testing.T, m *tokenEndpoint, b *accessTokens) {
		mustAccess(t, b)
		down := errors.New("down")
		m.fail(down)
		pass(time.Hour - renewAhead)
		for range 10 {
			if a := mustAccess(t, b); a.header[0] != "Bearer t1" {
				t.Errorf("got %q", a.header)
			}
			pass(20 * time.Second)
		}
		pass(renewAhead)
		before := m.count()
		for range 100 {
			if _, err := b.get(t.Context()); !errors.Is(err, down) {
				t.Errorf("after its end: %v", err)
			}
		}
		if n := m.count() - before; n != 1 {
			t.Errorf("%d fetches for 100 askers", n)
		}
		m.fail(nil)
		pass(fetchRetryDelay)
		mustAccess(t, b)
	})
}

func TestARefusedTokenIsDropped(t *testing.T) {
	withTokenEndpoint(t, func(t *testing.T, m *tokenEndpoint, b *accessTokens) {
		first := mustAccess(t, b)
		if b.invalidate(first) || mustAccess(t, b) != first {
			t.Error("a token just fetched was dropped")
		}
		pass(minInvalidateAge)
		dropped := b.invalidate(first)
		second := mustAccess(t, b)
		if !dropped || second == first {
			t.Error("an old token was kept")
		}
		another := b.invalidate(first) // as a request does that started with it and ends late
		if !another || mustAccess(t, b) != second || m.count() != 2 {
			t.Errorf("the new token was dropped for the old one's sake; %d fetched", m.count())
		}
	})
}

func TestATokenIsLeftTimeToArrive(t *testing.T) {
	now := time.Now()
	for life, want := range map[time.Duration]struct{ renew, end time.Duration }{
		time.Hour: {55 * time.Minute, time.Hour - 10*time.Second}, 20 * time.Second: {15 * time.Second, 15 * time.Second},
	} {
		a := newAccessToken(&oauth2.Token{AccessToken: "t", Expiry: now.Add(life)}, now)
		if a.renewAt.Sub(now) != want.renew || a.expiresAt.Sub(now) != want.end || !a.fetchedAt.Equal(now) {
			t.Errorf("a life of %s: renewed after %s, given up after %s", life, a.renewAt.Sub(now), a.expiresAt.Sub(now))
		}
	}
	if a := newAccessToken(&oauth2.Token{AccessToken: "t"}, now); a.renewAt.Sub(now) != 55*time.Minute {
		t.Errorf("without an end: renewed after %s", a.renewAt.Sub(now))
	}
}

func TestWaitingForATokenEndsWithTheContext(t *testing.T) {
	withTokenEndpoint(t, func(t *testing.T, _ *tokenEndpoint, b *accessTokens) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := b.get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		b.close()
		if _, err := b.get(t.Context()); err == nil {
			t.Error("a token after close")
		}
	})
}
