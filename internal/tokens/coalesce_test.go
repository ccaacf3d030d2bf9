package tokens

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// gate is a source whose queries wait until the test answers them.
type gate struct{ queries chan *query }

type query struct {
	users []string
	ctx   context.Context
	found chan map[string]string
}

func (g gate) Tokens(ctx context.Context, users []string) (map[string]string, error) {
	q := &query{users: users, ctx: ctx, found: make(chan map[string]string)}
	g.queries <- q
	select {
	case found := <-q.found:
		return found, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type reply struct {
	token string
	err   error
}

// asking starts a call in the background and returns once it waits.
func asking(ctx context.Context, a *coalescer, user string) <-chan reply {
	replies := make(chan reply, 1)
	go func() {
		token, err := a.get(ctx, user)
		replies <- reply{token, err}
	}()
	synctest.Wait()
	return replies
}

func TestCallsDuringQueryShareNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate{make(chan *query)}
		a := &coalescer{query: g.Tokens}
		first := asking(t.Context(), a, "1")
		one := <-g.queries
		second, third, again := asking(t.Context(), a, "2"), asking(t.Context(), a, "3"), asking(t.Context(), a, "1")

		one.found <- map[string]string{"1": "before"}
		rest := <-g.queries
		if !slices.Equal(one.users, []string{"1"}) || !slices.Equal(rest.users, []string{"2", "3", "1"}) {
			t.Errorf("asked for %q and %q", one.users, rest.users)
		}
		rest.found <- map[string]string{"1": "after", "2": "two"}
		for i, want := range map[<-chan reply]reply{first: {token: "before"}, second: {token: "two"}, third: {}, again: {token: "after"}} {
			if got := <-i; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	})
}

func TestCancelledCallerFailsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate{make(chan *query)}
		a := &coalescer{query: g.Tokens}
		ctx, giveUp := context.WithCancel(t.Context())
		first := asking(t.Context(), a, "1")
		one := <-g.queries
		second, third := asking(ctx, a, "2"), asking(t.Context(), a, "3")
		one.found <- nil
		shared := <-g.queries
		giveUp()
		if got := <-second; !errors.Is(got.err, context.Canceled) {
			t.Errorf("who gave up got %v", got)
		}
		shared.found <- map[string]string{"3": "three"}
		if got := <-third; got != (reply{token: "three"}) {
			t.Errorf("the other got %v", got)
		}
		<-first
	})
}

func TestCancelledCallIsNotQueried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate{make(chan *query)}
		a := &coalescer{query: g.Tokens}
		firstCtx, endFirst := context.WithCancel(t.Context())
		secondCtx, endSecond := context.WithCancel(t.Context())
		first := asking(firstCtx, a, "1")
		one := <-g.queries
		second := asking(secondCtx, a, "2")
		endSecond() // before the running query ends, so that the next one does not contain it
		<-second
		endFirst()
		<-first
		<-one.ctx.Done()
		synctest.Wait()

		third := asking(t.Context(), a, "3")
		if q := <-g.queries; !slices.Equal(q.users, []string{"3"}) {
			t.Errorf("asked for %q", q.users)
		} else {
			q.found <- nil
		}
		<-third
	})
}

// A connection whose peer has vanished must not block later callers for long.
func TestHangingQueryDelaysOthersBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate{make(chan *query)}
		a := &coalescer{query: g.Tokens}
		first := asking(t.Context(), a, "1")
		hung := <-g.queries
		second := asking(t.Context(), a, "2")
		begun := time.Now()
		next := <-g.queries
		if waited := time.Since(begun); waited > maxQueryDelay {
			t.Errorf("the next query began after %s", waited)
		}
		next.found <- map[string]string{"2": "two"}
		if got := <-second; got != (reply{token: "two"}) {
			t.Errorf("who came later got %v", got)
		}
		hung.found <- map[string]string{"1": "one"}
		if got := <-first; got != (reply{token: "one"}) {
			t.Errorf("who came first got %v", got)
		}
	})
}
