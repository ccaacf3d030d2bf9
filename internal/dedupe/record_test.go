package dedupe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRecord(t *testing.T) {
	t.Parallel()
	backends.Run(t, backends.Suite{
		{Name: "the first element owns an address, and finds itself the owner again", Test: firstOwns},
		{Name: "an address is given up by its owner alone, while it has its lease", Test: givenUp},
		{Name: "a lost reply changes nothing", Test: lostReply},
		{Name: "a record grows and forgets nothing", Test: grows},
		{Name: "lost keys cost their addresses alone", Test: lostKeys},
		{Name: "keys of another type are named", Test: wrongTypes},
		{Name: "all keys expire", Test: expire},
		{Name: "a deletion leaves nothing", Test: deleted},
		{Name: "random calls agree with a map", Test: agrees},
	})
}

// fixture is the record of a campaign that no other case uses.
type fixture struct {
	*testing.T
	*Record
	rdb redis.UniversalClient
}

func open(t *testing.T, b *backends.Backend, audience int64) fixture {
	t.Helper()
	list := keys.NewList("campaign:" + t.Name())
	b.Redis.HSet(t.Context(), list.Key(keys.SuffixSpec), "state", "running")
	size := func(context.Context) (int64, error) { return audience, nil }
	return fixture{T: t, Record: New(b.Redis, list, size), rdb: b.Redis}
}

// restarted is the record as another process finds it.
func (f fixture) restarted(rdb redis.UniversalClient) fixture {
	return fixture{T: f.T, Record: New(rdb, f.list, f.size), rdb: f.rdb}
}

// takes has elements take addresses in one call, given as "element address", and compares who owns
// them with want, such as "yes no".
func (f fixture) takes(want string, pairs ...string) {
	f.Helper()
	owned, err := f.Take(f.Context(), addressesOf(pairs))
	if err != nil {
		f.Fatal(err)
	}
	words := make([]string, len(owned))
	for i, mine := range owned {
		words[i] = map[bool]string{true: "yes", false: "no"}[mine]
	}
	if got := strings.Join(words, " "); got != want {
		f.Errorf("%v: %s, want %s", pairs, got, want)
	}
}

func addressesOf(pairs []string) []Address {
	all := make([]Address, len(pairs))
	for i, pair := range pairs {
		element, address, _ := strings.Cut(pair, " ")
		all[i] = Address{Element: element, Claim: "claim-of-" + element, Text: address}
	}
	return all
}

func (f fixture) releases(pairs ...string) {
	f.Helper()
	if err := f.Release(f.Context(), addressesOf(pairs)); err != nil {
		f.Fatal(err)
	}
}

// lease gives elements their leases.
func (f fixture) lease(elements ...string) {
	f.Helper()
	for _, e := range elements {
		if err := f.rdb.ZAdd(f.Context(), f.list.Key(keys.SuffixLeases), redis.Z{Score: 1, Member: "claim-of-" + e}).Err(); err != nil {
			f.Fatal(err)
		}
	}
}

// buckets are the keys of the record but for the index.
func (f fixture) buckets() []string {
	f.Helper()
	var all []string
	err := eachChunk(f.Context(), f.rdb, f.list, func(names []string) error {
		for _, name := range names {
			if f.rdb.Exists(f.Context(), name).Val() > 0 {
				all = append(all, name)
			}
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	return all
}

func firstOwns(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1000)
	f.takes("yes yes no", "e1 phone", "e2 tablet", "e3 phone")
	f.takes("yes no", "e1 phone", "e1 tablet")
	f.restarted(b.Redis).takes("yes yes no yes", "e1 phone", "e2 tablet", "e2 phone", "e2 watch")
	other := open(t, b, 1000)
	other.list = keys.NewList(f.list.Plain() + "-2")
	b.Redis.HSet(t.Context(), other.list.Key(keys.SuffixSpec), "state", "running")
	other.takes("yes", "e9 phone")
}

func givenUp(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1000)
	f.takes("yes yes", "e1 phone", "e2 tablet")
	f.releases("e1 phone", "e1 tablet") // no leases
	f.takes("no no", "e3 phone", "e3 tablet")
	f.lease("e1", "e2")
	f.releases("e1 tablet") // not the owner
	f.takes("no", "e3 tablet")
	f.releases("e1 phone", "e2 tablet")
	f.releases("e1 phone", "e2 tablet")
	f.takes("yes no", "e3 phone", "e1 phone")
	f.takes("yes", "e1 tablet")
}

func lostReply(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1000).restarted(b.Lossy)
	b.Lose(t, func(n int, _ []string) bool { return n == 1 || n == 3 })
	f.takes("yes no", "e1 phone", "e2 phone")
	if _, lost := b.CountScripts(); lost == 0 {
		t.Fatal("no reply was lost")
	}
}

// Another process, which knows the first level only, finds all addresses.
func grows(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1)
	stale := f.restarted(b.Redis)
	var pairs []string
	for i := range 700 {
		pairs = append(pairs, fmt.Sprintf("e%d a%d", i, i))
	}
	stale.takes("yes", pairs[0])
	all := strings.TrimSuffix(strings.Repeat("yes ", 100), " ")
	for some := range slices.Chunk(pairs, 100) {
		f.takes(all, some...)
	}
	if levels := b.Redis.HGet(t.Context(), f.index(), "levels").Val(); levels != "0 4" {
		t.Errorf("levels %q, want another one after 128 addresses", levels)
	}
	f.takes("no no", "e a0", "e a699") // their owners are in the first level and in the second
	for some := range slices.Chunk(pairs, 100) {
		stale.takes(all, some...)
	}
	stale.takes("no no", "e a0", "e a699")
	for _, bucket := range f.buckets() {
		if n := b.Redis.HLen(t.Context(), bucket).Val(); n > 300 {
			t.Errorf("%s holds %d addresses", bucket, n)
		}
	}
}

func lostKeys(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1)
	f.takes("yes", "e1 phone")
	b.Redis.Del(t.Context(), f.index())
	f.takes("no", "e2 phone") // its bucket is there
	b.Redis.Del(t.Context(), f.buckets()...)
	f.takes("yes no", "e2 phone", "e1 phone")
	b.Redis.HSet(t.Context(), f.index(), "levels", "rubbish")
	if _, err := f.Take(t.Context(), addressesOf([]string{"e3 x"})); err == nil || !strings.Contains(err.Error(), "delete the key "+f.index()) {
		t.Errorf("%v, want what to delete", err)
	}
}

func wrongTypes(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1)
	for _, key := range []string{f.list.Addresses(0, 0), f.index()} {
		f.takes("yes", "e0 first")
		b.Redis.Del(t.Context(), key)
		b.Redis.Set(t.Context(), key, "x", 0)
		_, err := f.Take(t.Context(), addressesOf([]string{"e1 phone"}))
		if mistyped, ok := errors.AsType[*redisx.TypeError](err); !ok || mistyped.Key != key {
			t.Errorf("%v, want %s named", err, key)
		}
		b.Redis.Del(t.Context(), key)
	}
}

func expire(t *testing.T, b *backends.Backend) {
	f := open(t, b, 10_000)
	f.takes("yes yes", "e1 phone", "e2 tablet")
	all := append(f.buckets(), f.index())
	if len(all) != 3 {
		t.Fatalf("keys %v, want an index and two buckets", all)
	}
	within := func(limit time.Duration) {
		t.Helper()
		for _, key := range all {
			if left := b.Redis.PTTL(t.Context(), key).Val(); left <= limit/2 || left > limit {
				t.Errorf("%s expires in %s, want %s", key, left, limit)
			}
		}
	}
	within(TTL)
	b.Redis.PExpire(t.Context(), all[0], time.Hour)
	b.Redis.PExpire(t.Context(), all[1], time.Hour)
	f.takes("yes yes", "e1 phone", "e2 tablet")                              // nothing new: no renewal
	b.Redis.HSet(t.Context(), f.index(), "renew_at", time.Now().UnixMilli()) // half of TTL has passed
	for i := range 1000 {
		f.takes("yes", fmt.Sprintf("n%d a%d", i, i))
	}
	within(TTL)
	for range 2 {
		if err := Retain(t.Context(), b.Redis, f.list, time.Hour); err != nil {
			t.Fatal(err)
		}
		within(time.Hour)
	}
}

func deleted(t *testing.T, b *backends.Backend) {
	f := open(t, b, 100_000)
	for i := range 300 {
		f.takes("yes", fmt.Sprintf("e%d a%d", i, i))
	}
	all := append(f.buckets(), f.index())
	b.Redis.Del(t.Context(), f.list.Key(keys.SuffixSpec)) // by the deletion of the campaign
	for range 2 {
		if _, err := f.Take(t.Context(), addressesOf([]string{"late phone"})); err == nil {
			t.Error("an address is taken for a campaign that is gone")
		}
		if err := Delete(t.Context(), b.Redis, f.list); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range all {
		if b.Redis.Exists(t.Context(), key).Val() > 0 {
			t.Errorf("%s is left", key)
		}
	}
}

// agrees compares a small record with a map of owners.
func agrees(t *testing.T, b *backends.Backend) {
	rounds := 0
	rapid.Check(t, func(r *rapid.T) {
		rounds++
		f := open(t, b, 200)
		f.list = keys.NewList(fmt.Sprintf("%s-%d", f.list.Plain(), rounds))
		b.Redis.HSet(t.Context(), f.list.Key(keys.SuffixSpec), "state", "running")
		owners := make(map[string]string)
		f.lease("e0", "e1", "e2", "e3")
		for range rapid.IntRange(1, 8).Draw(r, "calls") {
			pairs := rapid.SliceOfN(rapid.StringMatching("e[0-3] a[0-5]"), 1, 6).Draw(r, "pairs")
			if rapid.Bool().Draw(r, "release") {
				f.releases(pairs...)
				for _, a := range addressesOf(pairs) {
					if owners[a.Text] == a.Element {
						delete(owners, a.Text)
					}
				}
				continue
			}
			var want []string
			for _, a := range addressesOf(pairs) {
				if owners[a.Text] == "" {
					owners[a.Text] = a.Element
				}
				want = append(want, map[bool]string{true: "yes", false: "no"}[owners[a.Text] == a.Element])
			}
			f.takes(strings.Join(want, " "), pairs...)
		}
	})
}

// A bucket never has more than 64 addresses if the audience is as large as it was at first.
func TestBitsFor(t *testing.T) {
	for recipients, want := range map[int64]int{0: 0, 1: 0, 64: 0, 65: 1, 128: 1, 129: 2, 1_000_000: 14, 20_000_000: 19, 1 << 50: maxBits} {
		if got := bitsFor(recipients); got != want {
			t.Errorf("%d recipients: %d bits, want %d", recipients, got, want)
		}
	}
}
