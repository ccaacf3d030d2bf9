package responses_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/responses"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// before is a client that calls a function before each script with a given number of keys.
type before struct {
	redis.UniversalClient
	keys int
	act  func()
}

func (b *before) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if len(keys) == b.keys {
		b.act()
	}
	return b.UniversalClient.EvalSha(ctx, sha, keys, args...)
}

// all reads all letters.
func (l letters) all() (all []responses.DeadLetter) {
	l.Helper()
	for letter, err := range l.List(l.Context(), responses.Filter{}) {
		if err != nil {
			l.Fatal(err)
		}
		all = append(all, letter)
	}
	return all
}

func (l letters) take(some ...responses.DeadLetter) responses.Batch {
	l.Helper()
	b, err := l.Take(l.Context(), "42", some...)
	if err != nil {
		l.Fatal(err)
	}
	return b
}

// A letter is replayed once, and a copy that comes within an hour goes with it. A letter that was
// put back may be taken again.
func takesOnce(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	some := failed("a", "INTERNAL", 3)
	l.add(some...)
	first := l.take(l.all()[:2]...)
	wantList(t, "taken", idsOf(first.Letters), idsOf(some[:2]))
	wantList(t, "left", l.ids(responses.Filter{}), idsOf(some[2:]))
	ends := time.UnixMilli(int64(b.Redis.ZScore(t.Context(), l.key()+":batches", first.ID).Val()))
	if left := ends.Sub(first.Until); left < 25*time.Second || left > 35*time.Second {
		t.Errorf("the replay must end %s before its lease does, want half a minute", left)
	}
	lately := l.key() + ":lately"
	if ttl := b.Redis.TTL(t.Context(), lately).Val(); ttl <= 59*time.Minute || ttl > time.Hour {
		t.Errorf("what was taken is remembered for %s, want an hour", ttl)
	}
	if err := l.MarkReplayed(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	l.add(some[0])
	copies := l.take(l.all()...)
	wantList(t, "taken beside a copy", idsOf(copies.Letters), idsOf(some[2:]))
	wantList(t, "left", l.ids(responses.Filter{}), nil)

	if err := l.PutBack(t.Context(), copies); err != nil {
		t.Fatal(err)
	}
	wantList(t, "put back", l.ids(responses.Filter{}), idsOf(some[2:]))
	wantList(t, "taken again", idsOf(l.take(l.all()...).Letters), idsOf(some[2:]))
}

// A batch whose lease was renewed before its release stays where it is.
func releasesOnlyTheExpired(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	some := failed("a", "INTERNAL", 2)
	l.add(some...)
	batch := l.take(l.all()[:1]...)
	batches := l.key() + ":batches"
	ends := func(at time.Time) {
		if err := b.Redis.ZAdd(t.Context(), batches, redis.Z{Score: float64(at.UnixMilli()), Member: batch.ID}).Err(); err != nil {
			t.Error(err)
		}
	}
	ends(time.UnixMilli(1))
	names := keys.Default()
	names.Responses = l.list.Plain()
	late := &before{UniversalClient: b.Redis, keys: 4, act: func() { ends(time.Now().Add(time.Hour)) }}
	dead, err := responses.NewDeadLetters(late, names, responses.DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dead.Count(t.Context(), responses.Filter{}); err != nil {
		t.Fatal(err)
	}
	wantList(t, "left beside a batch with a whole lease", l.ids(responses.Filter{}), idsOf(some[1:]))
	ends(time.UnixMilli(1))
	if got := l.ids(responses.Filter{}); len(got) != 2 {
		t.Errorf("%q are there when the lease has ended, want both", got)
	}
}

// A letter that is named twice is removed once. Of two copies the right one is removed, even after
// letters before it have gone.
func removesWhatWasMeant(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	some := failed("a", "INTERNAL", 3)
	gone, one, other := some[0], some[1], some[2]
	l.add(gone, one, other, one)
	read := l.all()
	for _, c := range [][]responses.DeadLetter{{read[0], read[0]}, {read[3]}} {
		if n, err := l.Remove(t.Context(), c...); n != 1 || err != nil {
			t.Errorf("removed %d, want 1; error %v", n, err)
		}
	}
	wantList(t, "left", l.ids(responses.Filter{}), []string{one.ID, other.ID})
	if got := l.count(); got.Removed != 2 {
		t.Errorf("%d were removed by the counts, want 2", got.Removed)
	}
}

// A process that has lost its lock drops nothing that it has not read, and leaves the other's lock
// alone.
func trimsWhatItRead(t *testing.T, b *backends.Backend) {
	for name, c := range map[string]struct {
		outbox, left []string
		overtake     int64 // so many are dropped by the other
	}{
		"overtaken, with a copy first": {[]string{"x", "a", "b", "x", "c", "d"}, []string{"x", "c", "d"}, 3},
		"more is there":                {[]string{"a", "b", "c", "d"}, []string{"d"}, 0},
		"nothing more":                 {[]string{"a", "b", "c"}, nil, 0},
	} {
		names := ownNames()
		campaign := ownCampaign(t, names)
		outbox, lock := campaign.Key(keys.SuffixOutbox), campaign.Key(keys.SuffixForward)
		push(t, b.Redis, outbox, c.outbox...)
		other := &before{UniversalClient: b.Redis, keys: 2, act: func() {
			for _, err := range []error{
				b.Redis.LTrim(t.Context(), outbox, c.overtake, -1).Err(), b.Redis.Set(t.Context(), lock, "another", 9*time.Second).Err(),
			} {
				if err != nil {
					t.Error(err)
				}
			}
			c.overtake = 0
		}}
		forward(t, openOutbox(t, other, names, responses.OutboxOptions{Batch: 3, LockTTL: time.Minute}), campaign)
		if got := elements(t, b.Redis, outbox); !slices.Equal(got, c.left) {
			t.Errorf("%s: left %q, want %q", name, got, c.left)
		}
		if by, ttl := b.Redis.Get(t.Context(), lock).Val(), b.Redis.PTTL(t.Context(), lock).Val(); by != "another" || ttl <= 0 || ttl > 9*time.Second {
			t.Errorf("%s: the lock is %q for %s, want the other's", name, by, ttl)
		}
	}
}

// A purge also looks at letters that arrive while it reads.
func purgesWhatComesMeanwhile(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	l.add(failed("a", "INTERNAL", 3)...)
	names, reads := keys.Default(), 0
	names.Responses = l.list.Plain()
	slow := &before{UniversalClient: b.Redis, keys: 2, act: func() {
		if reads++; reads == 2 {
			l.add(failed("late", "INTERNAL", 2)...)
		}
	}}
	dead, err := responses.NewDeadLetters(slow, names, responses.DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := dead.Purge(t.Context(), responses.Filter{Campaign: "late"}); n != 2 || err != nil {
		t.Errorf("purged %d of those that came meanwhile, want 2; error %v", n, err)
	}
	wantList(t, "left", l.ids(responses.Filter{}), idsOf(failed("a", "INTERNAL", 3)))
}

// The gap that a cut removal left is no letter: it is neither shown nor counted.
func TestGapsAreNoLetters(t *testing.T) {
	l := openLetters(t, backends.OpenMiniredis(t), responses.DeadLetterOptions{})
	all := failed("a", "INTERNAL", 2)
	l.add(all[0])
	push(t, l.rdb, l.key(), "\x00removed")
	l.add(all[1])
	wantList(t, "letters", l.ids(responses.Filter{}), idsOf(all))
	if got := l.count().Total; got != 2 {
		t.Errorf("%d are counted, want 2", got)
	}
}

// takeAll takes all letters. With dies, their lease runs out.
func (l letters) takeAll(dies bool) (responses.Batch, error) {
	l.Helper()
	var all []responses.DeadLetter
	for letter, err := range l.List(l.Context(), responses.Filter{}) {
		if err != nil {
			l.Fatal(err)
		}
		all = append(all, letter)
	}
	b, err := l.Take(l.Context(), "", all...)
	batches := l.list.Key(keys.SuffixDead + ":batches")
	if dies {
		for _, batch := range l.rdb.ZRange(l.Context(), batches, 0, -1).Val() {
			l.rdb.ZAddXX(l.Context(), batches, redis.Z{Score: 1, Member: batch})
		}
	}
	return b, err
}

// A responder that trims puts back the letters of a replay that has died. A replay ends before its
// lease does.
func TestTrimPutsBack(t *testing.T) {
	l := openLetters(t, backends.OpenMiniredis(t), responses.DeadLetterOptions{})
	l.add(failed("a", "INTERNAL", 2)...)
	b, err := l.takeAll(true)
	if left := time.Until(b.Until); err != nil || left <= 0 || left >= time.Minute {
		t.Errorf("a replay has %s of a lease of a minute, %v", left, err)
	}
	l.trim()
	if n := len(elements(t, l.rdb, l.key())); n != 2 {
		t.Errorf("%d letters are back, want 2", n)
	}
}

// A take whose reply was lost gives the letters back at once.
func TestATakeThatIsNotHeardIsUndone(t *testing.T) {
	addr := miniredis.RunT(t).Addr()
	proxy := servers.NewProxy(t, addr)
	sound := openLetters(t, backends.Open(t, "redis", addr), responses.DeadLetterOptions{})
	lossy := backends.ConnectOnce(t, proxy.Addr())
	names := keys.Default()
	names.Responses = sound.list.Plain()
	dead, err := responses.NewDeadLetters(lossy, names, responses.DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sound.add(failed("a", "INTERNAL", 2)...)
	sound.ids(responses.Filter{}) // the scripts are known from here on
	if _, err := sound.takeAll(true); err != nil {
		t.Fatal(err)
	}
	sound.trim()
	l := letters{T: t, DeadLetters: dead, rdb: sound.rdb, list: sound.list}
	proxy.Lose(func(command []string) bool { return servers.IsScript(command) && len(command) > 10 }, servers.Nth(1))
	if _, err := l.takeAll(false); err == nil {
		t.Fatal("the lost reply arrived")
	}
	if n := len(elements(t, sound.rdb, sound.key())); n != 2 {
		t.Errorf("%d letters are back, want 2", n)
	}
}
