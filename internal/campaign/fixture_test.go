package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// fixture is the campaigns of one Redis, with helpers.
type fixture struct {
	*testing.T
	*campaign.Campaigns
	rdb redis.UniversalClient // reliable, whatever the campaigns use
}

// eager scans the whole keyspace each time.
var eager = campaign.Options{ScanEvery: time.Nanosecond}

func open(t *testing.T, b *backends.Backend) fixture { return openOn(t, b.Redis, b.Redis, eager) }

func openOn(t *testing.T, rdb, sound redis.UniversalClient, o campaign.Options) fixture {
	t.Helper()
	c, err := campaign.New(rdb, keys.Default(), o)
	if err != nil {
		t.Fatal(err)
	}
	return fixture{T: t, Campaigns: c, rdb: sound}
}

// flush empties the backend between tests.
func flush(t *testing.T, b *backends.Backend) {
	t.Helper()
	err := eachMaster(t.Context(), b, func(ctx context.Context, master redis.Cmdable) error {
		return master.FlushAll(ctx).Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func eachMaster(ctx context.Context, b *backends.Backend, visit func(context.Context, redis.Cmdable) error) error {
	if cluster, ok := b.Redis.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, m *redis.Client) error { return visit(ctx, m) })
	}
	return visit(ctx, b.Redis)
}

var message = notification.Message(`{"notification":{"title":"Hello"}}`)

func (f fixture) create(id string, state campaign.State) {
	f.Helper()
	if err := f.Create(f.Context(), campaign.Spec{ID: id, State: state, Message: message}); err != nil {
		f.Fatal(err)
	}
}

func (f fixture) move(id string, to ...campaign.State) {
	f.Helper()
	for _, state := range to {
		if err := f.Move(f.Context(), id, state, ""); err != nil {
			f.Fatal(err)
		}
	}
}

// into brings a new campaign into a state by allowed changes.
func (f fixture) into(id string, state campaign.State) {
	f.Helper()
	f.create(id, campaign.Draft)
	switch state {
	case campaign.Draft:
	case campaign.Running:
		f.move(id, campaign.Running)
	default:
		f.move(id, campaign.Running, state)
	}
}

func (f fixture) get(id string) campaign.Spec {
	f.Helper()
	s, err := f.Get(f.Context(), id)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

func (f fixture) books(id string) campaign.Books {
	f.Helper()
	b, err := f.Books(f.Context(), id)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

func (f fixture) discover() campaign.Discovery {
	f.Helper()
	d, err := f.Discover(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return d
}

func (f fixture) complete(id string) bool {
	f.Helper()
	ended, _, err := f.Complete(f.Context(), id)
	if err != nil {
		f.Fatal(err)
	}
	return ended
}

// push writes elements as an application does.
func (f fixture) push(id string, n int) {
	f.Helper()
	elements := make([]any, n)
	for i := range elements {
		elements[i] = fmt.Sprintf(`{"userId":"u%d"}`, i)
	}
	f.ok(f.rdb.RPush(f.Context(), f.list(id).Plain(), elements...).Err())
}

func (f fixture) list(id string) keys.List {
	f.Helper()
	list, err := keys.Default().Campaign(id)
	if err != nil {
		f.Fatal(err)
	}
	return list
}

func (f fixture) key(id, suffix string) string { f.Helper(); return f.list(id).Key(suffix) }

func (f fixture) queue(id string) *queue.Queue {
	f.Helper()
	q, err := f.Queue(id)
	if err != nil {
		f.Fatal(err)
	}
	return q
}

func (f fixture) claim(id string, n int) queue.Lease {
	f.Helper()
	lease, err := f.queue(id).Claim(f.Context(), queue.NewID(), n)
	if err != nil {
		f.Fatal(err)
	}
	return lease
}

// end settles a whole lease with a status, without results.
func (f fixture) end(id string, l queue.Lease, status notification.Status) {
	f.Helper()
	all := make([]queue.Settlement, len(l.Elements))
	for i, e := range l.Elements {
		all[i] = queue.Settlement{Claim: l.Claim, Pos: e.Pos, Status: string(status), Code: "CODE"}
	}
	f.settle(id, all...)
}

func (f fixture) settle(id string, all ...queue.Settlement) {
	f.Helper()
	_, err := f.queue(id).Settle(f.Context(), all)
	f.ok(err)
}

// drain claims and ends every recipient.
func (f fixture) drain(id string) {
	f.Helper()
	for {
		l := f.claim(id, 100)
		if len(l.Elements) == 0 {
			return
		}
		f.end(id, l, notification.StatusSent)
	}
}

func (f fixture) load(id string, appending bool, n int) {
	f.Helper()
	l, err := f.Load(f.Context(), id, appending)
	f.ok(err)
	f.ok(l.Append(f.Context(), batch(n)))
	f.ok(l.Close(f.Context()))
}

func batch(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = campaign.EncodeRecipient(nil, notification.Recipient{UserID: fmt.Sprint("u", i)})
	}
	return all
}

// everyKey lists the keys of all masters.
func (f fixture) everyKey(b *backends.Backend) []string {
	f.Helper()
	all := make(chan []string, 3)
	f.ok(eachMaster(f.Context(), b, func(ctx context.Context, m redis.Cmdable) error {
		keys, err := m.Keys(ctx, "*").Result()
		all <- keys
		return err
	}))
	close(all)
	var keys []string
	for some := range all {
		keys = append(keys, some...)
	}
	slices.Sort(keys)
	return keys
}

// expiry returns the TTL of a key: -1 without an expiry, -2 without the key.
func (f fixture) expiry(key string) time.Duration {
	f.Helper()
	ttl, err := f.rdb.PTTL(f.Context(), key).Result()
	f.ok(err)
	return ttl
}

const never = time.Duration(-1)

func (f fixture) registered(id string) bool {
	f.Helper()
	is, err := f.rdb.SIsMember(f.Context(), keys.Default().Registry(), id).Result()
	f.ok(err)
	return is
}

func (f fixture) hset(key string, values ...any) {
	f.Helper()
	f.ok(f.rdb.HSet(f.Context(), key, values...).Err())
}

func (f fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f fixture) refused(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantEqual[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func wantList[T comparable](t testing.TB, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func idsOf(specs []campaign.Spec) []string {
	var ids []string
	for _, s := range specs {
		ids = append(ids, s.ID)
	}
	return ids
}

// emit leaves a result in the outbox, as a process on Redis Cluster does.
func (f fixture) emit(id string) {
	f.Helper()
	f.ok(f.rdb.RPush(f.Context(), f.key(id, keys.SuffixOutbox), "result").Err())
}
