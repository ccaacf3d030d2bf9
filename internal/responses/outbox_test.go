package responses_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/responses"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

func openOutbox(t *testing.T, rdb redis.UniversalClient, names keys.Names, o responses.OutboxOptions) *responses.Outbox {
	t.Helper()
	out, err := responses.NewOutbox(rdb, names, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func forward(t *testing.T, out *responses.Outbox, campaign keys.List) int {
	t.Helper()
	n, err := out.Forward(t.Context(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func numbered(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"resultId":"c:%04d"}`, i)
	}
	return all
}

// Everything that waits is moved in order. Nothing of the outbox is left, not even its lock.
func forwards(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	out := openOutbox(t, b.Redis, names, responses.OutboxOptions{Batch: 100})
	if n := forward(t, out, campaign); n != 0 {
		t.Errorf("%d forwarded from an outbox that does not exist", n)
	}
	all := numbered(250)
	push(t, b.Redis, campaign.Key(keys.SuffixOutbox), all...)
	if n := forward(t, out, campaign); n != len(all) {
		t.Errorf("%d forwarded, want %d", n, len(all))
	}
	wantList(t, "responses", elements(t, b.Redis, names.Responses), all)
	for _, key := range []string{campaign.Key(keys.SuffixOutbox), campaign.Key("forwarder")} {
		if b.Redis.Exists(t.Context(), key).Val() != 0 {
			t.Errorf("%s is left", key)
		}
	}
}

// One pass ends although more results arrive meanwhile.
func endsItsPass(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	all := numbered(4)
	push(t, b.Redis, campaign.Key(keys.SuffixOutbox), all...)
	filling := &filler{UniversalClient: b.Redis, key: campaign.Key(keys.SuffixOutbox)}
	out := openOutbox(t, filling, names, responses.OutboxOptions{Batch: 1})
	if n := forward(t, out, campaign); n < len(all) || n > len(all)+1 {
		t.Errorf("%d forwarded, want the %d that waited at first and no more than a batch besides", n, len(all))
	}
	got := elements(t, b.Redis, names.Responses)
	wantList(t, "responses", got[:min(len(all), len(got))], all)
}

func leavesAnothersOutboxAlone(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	all := numbered(10)
	push(t, b.Redis, campaign.Key(keys.SuffixOutbox), all...)
	// A forwarder that was cut off at its push has the lock.
	first := &knife{UniversalClient: b.Redis, at: 2}
	held := openOutbox(t, first, names, responses.OutboxOptions{LockTTL: time.Minute})
	if _, err := held.Forward(t.Context(), campaign); !errors.Is(err, cutOffError{}) {
		t.Fatalf("forward: %v, want it cut off", err)
	}
	other := openOutbox(t, b.Redis, names, responses.OutboxOptions{})
	if n := forward(t, other, campaign); n != 0 {
		t.Errorf("%d forwarded under another's lock", n)
	}
	if ttl := b.Redis.PTTL(t.Context(), campaign.Key("forwarder")).Val(); ttl <= 0 || ttl > time.Minute {
		t.Errorf("the lock lives for %s, want at most a minute", ttl)
	}
	b.Redis.Del(t.Context(), campaign.Key("forwarder")) // as its expiry does
	if n := forward(t, other, campaign); n != len(all) {
		t.Errorf("%d forwarded, want %d", n, len(all))
	}
}

// A forwarder that finds an empty outbox, perhaps during a stop, frees it for the others.
func keepsNoEmptyOutbox(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	if n := forward(t, openOutbox(t, b.Redis, names, responses.OutboxOptions{LockTTL: time.Minute}), campaign); n != 0 {
		t.Errorf("%d forwarded from an outbox that does not exist", n)
	}
	push(t, b.Redis, campaign.Key(keys.SuffixOutbox), numbered(3)...)
	if n := forward(t, openOutbox(t, b.Redis, names, responses.OutboxOptions{}), campaign); n != 3 {
		t.Errorf("%d forwarded by another, want 3", n)
	}
}

func undoesAnExpiry(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	push(t, b.Redis, names.Responses, "old")
	b.Redis.Expire(t.Context(), names.Responses, time.Hour)
	push(t, b.Redis, campaign.Key(keys.SuffixOutbox), "new")
	forward(t, openOutbox(t, b.Redis, names, responses.OutboxOptions{}), campaign)
	if ttl := b.Redis.TTL(t.Context(), names.Responses).Val(); ttl != -1 {
		t.Errorf("results expire in %s, want never", ttl)
	}
	wantList(t, "responses", elements(t, b.Redis, names.Responses), []string{"old", "new"})
}

func wrongTypeForwardsNothing(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	outbox := campaign.Key(keys.SuffixOutbox)
	out := openOutbox(t, b.Redis, names, responses.OutboxOptions{})
	push(t, b.Redis, outbox, "result")
	b.Redis.Set(t.Context(), names.Responses, "a string", 0)
	_, err := out.Forward(t.Context(), campaign)
	wantWrongType(t, err, names.Responses)
	wantList(t, "outbox", elements(t, b.Redis, outbox), []string{"result"})

	b.Redis.Del(t.Context(), outbox)
	b.Redis.Set(t.Context(), outbox, "a string", 0)
	_, err = out.Forward(t.Context(), campaign)
	wantWrongType(t, err, outbox)
}

// Forwarding is cut off at each of its steps, before and after Redis runs it. Another process then
// does it again. Every result arrives, and what arrives twice is a copy.
func cutOffAnywhere(t *testing.T, b *backends.Backend) {
	all := numbered(30)
	for at := 1; at <= 9; at++ { // three batches of peek, push and trim
		for _, reached := range []bool{false, true} {
			names := ownNames()
			campaign := ownCampaign(t, names)
			push(t, b.Redis, campaign.Key(keys.SuffixOutbox), all...)
			o := responses.OutboxOptions{Batch: 10}
			cut := openOutbox(t, &knife{UniversalClient: b.Redis, at: at, reached: reached}, names, o)
			if _, err := cut.Forward(t.Context(), campaign); !errors.Is(err, cutOffError{}) {
				t.Fatalf("cut at step %d: error %v", at, err)
			}
			b.Redis.Del(t.Context(), campaign.Key("forwarder"))
			forward(t, openOutbox(t, b.Redis, names, o), campaign)

			got := elements(t, b.Redis, names.Responses)
			what := fmt.Sprintf("cut at step %d, executed %t", at, reached)
			wantAtLeastOnce(t, what, got, all)
			if copies := len(got) - len(all); copies > 10 {
				t.Errorf("%s: %d copies, want no more than a batch", what, copies)
			}
			wantList(t, what+": outbox", elements(t, b.Redis, campaign.Key(keys.SuffixOutbox)), nil)
		}
	}
}

// A stalled forwarder is overtaken by another before it drops what it pushed. Results that arrived
// since then stay in the outbox.
func overtaken(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	outbox := campaign.Key(keys.SuffixOutbox)
	all := numbered(10)
	push(t, b.Redis, outbox, all...)
	slow := &knife{UniversalClient: b.Redis, at: 3, meanwhile: func() { // its trim
		b.Redis.Del(t.Context(), campaign.Key("forwarder")) // as its expiry does
		forward(t, openOutbox(t, b.Redis, names, responses.OutboxOptions{}), campaign)
		push(t, b.Redis, outbox, "later1", "later2")
	}}
	forward(t, openOutbox(t, slow, names, responses.OutboxOptions{}), campaign)
	wantList(t, "outbox", elements(t, b.Redis, outbox), []string{"later1", "later2"})
	wantList(t, "responses", elements(t, b.Redis, names.Responses), append(all, all...))
}

// Many processes forward at a time while results are added, with a lock too short to separate them.
func manyForwarders(t *testing.T, b *backends.Backend) {
	names := ownNames()
	campaign := ownCampaign(t, names)
	all := numbered(600)
	var running sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		out := openOutbox(t, b.Redis, names, responses.OutboxOptions{Batch: 7, LockTTL: time.Millisecond})
		running.Go(func() {
			for last := false; ; {
				if _, err := out.Forward(t.Context(), campaign); err != nil {
					t.Error(err)
					return
				}
				if last {
					return
				}
				select {
				case <-done:
					last = true
				default:
				}
			}
		})
	}
	for some := range slices.Chunk(all, 20) {
		push(t, b.Redis, campaign.Key(keys.SuffixOutbox), some...)
	}
	close(done)
	running.Wait()
	forward(t, openOutbox(t, b.Redis, names, responses.OutboxOptions{}), campaign)
	await(t, func() (bool, error) { // the last of their locks may still have been held
		forward(t, openOutbox(t, b.Redis, names, responses.OutboxOptions{}), campaign)
		return len(elements(t, b.Redis, campaign.Key(keys.SuffixOutbox))) == 0, nil
	})
	wantAtLeastOnce(t, "responses", elements(t, b.Redis, names.Responses), all)
}

// go-redis repeats commands whose reply was lost. Nothing is lost, whichever reply it was.
func TestForwardOverALossyLine(t *testing.T) {
	addr := servers.Redis(t)
	proxy := servers.NewProxy(t, addr)
	sound := backends.Connect(t, addr)
	lossy := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MinRetryBackoff: -1})
	t.Cleanup(func() { _ = lossy.Close() })
	all := numbered(100)
	for every := 2; every <= 5; every++ {
		names := ownNames()
		campaign := ownCampaign(t, names)
		push(t, sound, campaign.Key(keys.SuffixOutbox), all...)
		proxy.Lose(carrying, servers.EveryNth(every))
		if n := forward(t, openOutbox(t, lossy, names, responses.OutboxOptions{Batch: 10}), campaign); n != len(all) {
			t.Errorf("%d forwarded, want %d", n, len(all))
		}
		if _, lost := proxy.CountMatches(); lost == 0 {
			t.Error("no reply was lost")
		}
		wantAtLeastOnce(t, "responses", elements(t, sound, names.Responses), all)
		wantList(t, "outbox", elements(t, sound, campaign.Key(keys.SuffixOutbox)), nil)
	}
}

// carrying matches the commands that move or drop results.
func carrying(command []string) bool {
	name := strings.ToUpper(command[0])
	return name == "LRANGE" || name == "RPUSH" || servers.IsScript(command)
}

func TestNewOutboxRefuses(t *testing.T) {
	for _, o := range []responses.OutboxOptions{{Batch: -1}, {LockTTL: time.Microsecond}} {
		if _, err := responses.NewOutbox(nil, keys.Default(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

// slow lets most of a lock's minute pass before each trim. It records the lock's remaining time
// after it.
type slow struct {
	redis.UniversalClient
	server *miniredis.Miniredis
	lock   string
	left   []time.Duration
}

func (s *slow) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if len(keys) != 2 || keys[1] != s.lock {
		return s.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	s.server.FastForward(40 * time.Second)
	reply := s.UniversalClient.EvalSha(ctx, sha, keys, args...)
	if reply.Err() == nil { // else the script is not loaded yet
		s.left = append(s.left, s.server.TTL(s.lock))
	}
	return reply
}

// The lock is renewed after each batch while there is more.
func TestForwardRenewsItsLock(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	names := ownNames()
	campaign := ownCampaign(t, names)
	all := numbered(4)
	push(t, rdb, campaign.Key(keys.SuffixOutbox), all...)
	clock := &slow{UniversalClient: rdb, server: server, lock: campaign.Key(keys.SuffixForward)}
	out := openOutbox(t, clock, names, responses.OutboxOptions{Batch: 1, LockTTL: time.Minute})
	if n := forward(t, out, campaign); n != len(all) {
		t.Errorf("%d forwarded, want %d", n, len(all))
	}
	if want := []time.Duration{time.Minute, time.Minute, 0}; !slices.Equal(clock.left, want) { // the last batch leaves no lock
		t.Errorf("the lock had %s left after the batches, want %s", clock.left, want)
	}
}
