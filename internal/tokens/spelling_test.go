package tokens_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
)

// decoratedTokens are found, removed and restored in any spelling. The stored text is what is
// compared.
func decoratedTokens(b *rig) {
	for user, c := range map[string]struct{ redis, sql, proven string }{
		"crlf":         {redis: "dead\r\n", sql: "dead\r\n", proven: "dead\r\n"},
		"elsewhere":    {redis: "dead\r\n", sql: `"dead"`, proven: "dead"},
		"only in SQL":  {sql: " dead ", proven: "'dead'"},
		"odd}":         {redis: "\ufeffdead", sql: "dead", proven: "dead"},
		"clean stored": {redis: "dead", sql: "dead", proven: "dead\n"},
	} {
		if c.redis != "" {
			b.set(user, c.redis)
		}
		b.sql.rows[user] = c.sql
		if got := b.get(user); got != "dead" {
			b.Errorf("%s: found %q", user, got)
		}
		found, err := b.store.Forget(b.Context(), user, notification.ParseToken(c.proven), "42")
		if err != nil || !found.Removed || !found.Current.IsZero() || found.InSQL.Text() != c.sql {
			b.Errorf("%s: %+v, SQL %q, error %v", user, found, found.InSQL.Text(), err)
		}
		if held, got := b.stored(user), b.get(user); held != "" || got != "" {
			b.Errorf("%s: Redis holds %q, and %q is found", user, held, got)
		}
		if other, err := b.store.FindAnother(b.Context(), user, notification.ParseToken("dead")); err != nil || !other.IsZero() {
			b.Errorf("%s: another is %s, error %v", user, other, err)
		}
		b.sql.rows[user] = ""
		b.expectRestored(user, b.restore(tokens.Filter{Users: []string{user}}), tokens.RestoreResult{Restored: 1})
		if b.stored(user) != "dead" || b.sql.rows[user] != "dead" {
			b.Errorf("%s: restored as %q in Redis and %q in SQL", user, b.stored(user), b.sql.rows[user])
		}
	}
	b.set("fresh", "fresh\n") // another token in an odd spelling stays
	if removed, current := b.forget("fresh", "dead"); removed || current != "fresh" || b.stored("fresh") != "fresh\n" {
		b.Errorf("removed %v, current %q, Redis holds %q", removed, current, b.stored("fresh"))
	}
}

// A token that is stored again by now, in another spelling, is no newer one: it stays as it is, and
// its copy goes.
func storedAgainInAnotherSpelling(b *rig) {
	b.set("u", "dead")
	b.forget("u", "dead")
	b.set("u", "dead\r\n")
	b.expectRestored("u", b.restore(tokens.Filter{}), tokens.RestoreResult{Restored: 1})
	if left := b.removed(tokens.Filter{}); b.stored("u") != "dead\r\n" || len(left) > 0 {
		b.Errorf("Redis holds %q, and copies of %q are left", b.stored("u"), left)
	}
}

// whatCanBeNoToken is no answer while something better is stored, and it stays where it is.
func whatCanBeNoToken(b *rig) {
	const broken = "two words"
	for user, c := range map[string]struct{ redis, sql, want string }{
		"better in SQL": {redis: broken, sql: "good\r\n", want: "good\r\n"},
		"in both":       {redis: broken, sql: "null", want: "null"},
		"in Redis":      {redis: broken, want: broken},
		"in SQL":        {sql: broken, want: broken},
	} {
		if c.redis != "" {
			b.set(user, c.redis)
		}
		b.sql.rows[user] = c.sql
		for _, look := range []string{"first", "second"} { // the first lookup's writes must not mislead the second
			devices, err := b.store.Get(b.Context(), user)
			target := tokens.Newest(devices)
			if err != nil || target.Text() != c.want || target.IsSendable() != (c.want == "good\r\n") {
				b.Errorf("%s, %s look: found %q, sendable %v, error %v", user, look, target.Text(), target.IsSendable(), err)
			}
			peeked, err := b.store.Peek(b.Context(), []string{user})
			if err != nil || tokens.Newest(peeked[user]) != target {
				b.Errorf("%s, %s look: peeked %v, error %v", user, look, peeked[user], err)
			}
		}
		if b.stored(user) != c.redis || b.sql.rows[user] != c.sql {
			b.Errorf("%s: Redis holds %q, SQL %q", user, b.stored(user), b.sql.rows[user])
		}
		want := ""
		if c.want == "good\r\n" {
			want = "good"
		}
		if removed, current := b.forget(user, "dead"); removed || current != want || b.stored(user) != c.redis {
			b.Errorf("%s: removed %v, current %q, Redis holds %q", user, removed, current, b.stored(user))
		}
		if other, err := b.store.FindAnother(b.Context(), user, notification.ParseToken("dead")); err != nil || other.Value != want {
			b.Errorf("%s: another is %q, error %v", user, other.Value, err)
		}
	}
}

func TestInvalidTokenIsNotStored(t *testing.T) {
	b := newRig(t, backends.Connect(t, miniredis.RunT(t).Addr()))
	invalid := notification.ParseToken("two words")
	if err := b.store.Set(t.Context(), "u", invalid); !errors.Is(err, tokens.ErrInvalidToken) {
		t.Errorf("set: %v", err)
	}
	if n, err := b.store.Import(t.Context(), pairs("u", invalid)); n != 0 || !errors.Is(err, tokens.ErrInvalidToken) {
		t.Errorf("import: %d, %v", n, err)
	}
	if _, err := b.store.Forget(t.Context(), "u", invalid, "42"); !errors.Is(err, tokens.ErrInvalidToken) {
		t.Errorf("forget: %v", err)
	}
	if err := b.store.Set(t.Context(), "u", notification.ParseToken("good\r\n")); err != nil || b.stored("u") != "good" {
		t.Errorf("Redis holds %q, error %v", b.stored("u"), err)
	}
}

// respelling stores a token in a new spelling before each script.
type respelling struct {
	redis.UniversalClient
	key   string
	times int
}

func (r *respelling) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	r.times++
	r.Set(ctx, r.key, "dead"+strings.Repeat("\n", r.times), 0)
	return r.UniversalClient.EvalSha(ctx, sha, keys, args...)
}

// A dead token whose spelling keeps changing stays, and is never offered as another one.
func TestForgetOffersNoOtherSpelling(t *testing.T) {
	b := newRig(t, backends.Connect(t, miniredis.RunT(t).Addr()))
	rdb := &respelling{UniversalClient: b.rdb, key: b.names.Token("u")}
	store, err := tokens.New(rdb, b.names, nil, tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := store.Forget(t.Context(), "u", notification.ParseToken("dead"), "42")
	if err != nil || !reflect.DeepEqual(found, tokens.ForgetResult{}) {
		t.Errorf("found %+v, error %v; want nothing", found, err)
	}
	if rdb.times < 2 || b.stored("u") == "" {
		t.Errorf("%d scripts ran; Redis holds %q", rdb.times, b.stored("u"))
	}
}

// A token that is stored nowhere replaces no copy, even if the copy is in another Cluster slot.
func TestForgetApartKeepsTheFirstCopy(t *testing.T) {
	b := newRig(t, backends.Connect(t, miniredis.RunT(t).Addr()))
	const user = "a}b"
	if b.names.TokenKeysShareSlot(user) {
		t.Fatalf("%q has its keys in one slot", user)
	}
	b.set(user, "first")
	b.forget(user, "first")
	first := b.rdb.Get(t.Context(), b.names.RemovedToken(user)).Val()
	b.set(user, "new")
	if removed, current := b.forget(user, "dead"); removed || current != "new" || b.stored(user) != "new" {
		t.Errorf("removed %v, current %q, Redis holds %q", removed, current, b.stored(user))
	}
	if now := b.rdb.Get(t.Context(), b.names.RemovedToken(user)).Val(); now != first || first == "" {
		t.Errorf("the copy is %q, want %q", now, first)
	}
}

func pairs(user string, target notification.Target) iter.Seq2[string, notification.Device] {
	return maps.All(map[string]notification.Device{user: {Target: target}})
}

// A copy of a value that cannot be a token, from an earlier version, is kept and not restored.
func TestCopiesOfInvalidTokens(t *testing.T) {
	b := newRig(t, backends.Connect(t, miniredis.RunT(t).Addr()))
	copies := map[string]string{
		"trimmed": `{"token":"dead\r\n","campaign":"42","at":1,"ttl":0}`,
		"never":   `{"token":"two words","campaign":"42","at":1,"ttl":0}`,
	}
	for user, text := range copies {
		if err := b.rdb.Set(t.Context(), b.names.RemovedToken(user), text, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	b.expectRestored("both", b.restore(tokens.Filter{Users: []string{"trimmed", "never"}}), tokens.RestoreResult{Restored: 1, Invalid: 1})
	if b.stored("trimmed") != "dead" || b.stored("never") != "" || b.rdb.Exists(t.Context(), b.names.RemovedToken("never")).Val() != 1 {
		t.Errorf("Redis holds %q and %q", b.stored("trimmed"), b.stored("never"))
	}
}
