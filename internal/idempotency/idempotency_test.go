package idempotency

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
)

func newStore(t *testing.T) (*Store, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	return New(rdb, keys.Default()), server
}

// begin begins a request that no one has answered.
func begin(t *testing.T, s *Store, key, request string) *Claim {
	t.Helper()
	answer, claim, err := s.Begin(t.Context(), key, request)
	if answer != nil || claim == nil || err != nil {
		t.Fatalf("answer %v, claim %v, error %v: want a claim", answer, claim, err)
	}
	return claim
}

func TestRepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	claim := begin(t, s, "k", "POST /a")
	if _, _, err := s.Begin(t.Context(), "k", "POST /a"); !errors.Is(err, ErrRunning) {
		t.Errorf("while it runs: %v", err)
	}
	want := Answer{Status: 201, Type: "application/json", Body: []byte(`{"id":"42"}`)}
	if err := claim.Answer(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, _, err := s.Begin(t.Context(), "k", "POST /a")
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("repeated: %v, %v", got, err)
	}
	if _, _, err := s.Begin(t.Context(), "k", "POST /b"); !errors.Is(err, ErrDifferent) {
		t.Errorf("another request: %v", err)
	}
	begin(t, s, "other", "POST /a")
}

func TestReleasedRequestRunsAgain(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	if err := begin(t, s, "k", "POST /a").Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin(t, s, "k", "POST /a")
}

// A process that dies leaves a key that expires, and an answer is kept for a day.
func TestKeysExpire(t *testing.T) {
	t.Parallel()
	s, server := newStore(t)
	claim := begin(t, s, "k", "POST /a")
	if ttl := server.TTL(claim.key); ttl != runningTTL {
		t.Errorf("a running request is kept for %s", ttl)
	}
	if err := claim.Answer(t.Context(), Answer{Status: 200}); err != nil {
		t.Fatal(err)
	}
	if ttl := server.TTL(claim.key); ttl != answerTTL {
		t.Errorf("an answer is kept for %s", ttl)
	}
	server.FastForward(answerTTL)
	begin(t, s, "k", "POST /a")
}

// A request that takes longer than its claim lasts keeps it. One that lost it leaves it alone.
func TestLongRequestsKeepTheirClaim(t *testing.T) {
	t.Parallel()
	s, server := newStore(t)
	first := begin(t, s, "k", "POST /a")
	server.FastForward(runningTTL - time.Second)
	if err := first.extend(t.Context()); err != nil || server.TTL(first.key) != runningTTL {
		t.Errorf("extended to %s, %v", server.TTL(first.key), err)
	}
	server.FastForward(runningTTL)
	second := begin(t, s, "k", "POST /a")
	server.FastForward(time.Minute)
	if err := errors.Join(first.extend(t.Context()), first.Release(t.Context())); err != nil || server.TTL(second.key) != runningTTL-time.Minute {
		t.Errorf("the claim of another request expires in %s, %v", server.TTL(second.key), err)
	}
}

func ExampleStore_Begin() {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = rdb.Close() }()
	ctx, s := context.Background(), New(rdb, keys.Default())
	for range 2 {
		answer, claim, err := s.Begin(ctx, "order-7", "POST /api/v1/campaigns {}")
		switch {
		case err != nil:
			fmt.Println(err)
		case answer != nil:
			fmt.Println("answered before:", answer.Status)
		default:
			fmt.Println("runs:", claim.Answer(ctx, Answer{Status: 201}))
		}
	}
	// Output:
	// runs: <nil>
	// answered before: 201
}
