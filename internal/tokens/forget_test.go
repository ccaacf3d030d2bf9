package tokens_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

func forgetByWhatIsStored(b *rig) {
	for _, c := range []struct {
		user, redis, sql string
		removed          bool
		current, left    string
	}{
		{user: "dead in both", redis: "dead", sql: "dead", removed: true},
		{user: "dead in Redis", redis: "dead", removed: true},
		{user: "renewed in SQL", redis: "dead", sql: "new", removed: true, current: "new"},
		{user: "renewed in Redis", redis: "new", sql: "dead", current: "new", left: "new"},
		{user: "renewed in both", redis: "new", sql: "newest", current: "new", left: "new"},
		{user: "only in SQL", sql: "dead"},
		{user: "another in SQL", sql: "new", current: "new"},
		{user: "nowhere"},
	} {
		if c.redis != "" {
			b.set(c.user, c.redis)
		}
		if c.sql != "" {
			b.sql.rows[c.user] = c.sql
		}
		if another, err := b.store.FindAnother(b.Context(), c.user, notification.ParseToken("dead")); err != nil || another.Value != c.current {
			b.Errorf("%s, another token: got %q, %v, want %q", c.user, another.Value, err, c.current)
		}
		for round, removed := range []bool{c.removed, false} { // a repeated call finds nothing to remove
			gotRemoved, current := b.forget(c.user, "dead")
			if gotRemoved != removed || current != c.current {
				b.Errorf("%s, call %d: got %v, %q, want %v, %q", c.user, round, gotRemoved, current, removed, c.current)
			}
		}
		inSQL := c.sql
		if c.current != "" && c.current != c.sql { // Redis precedes SQL
			inSQL = ""
		}
		if found, err := b.store.Forget(b.Context(), c.user, notification.ParseToken("dead"), "42"); err != nil || found.InSQL.Value != inSQL {
			b.Errorf("%s, in SQL: got %q, %v, want %q", c.user, found.InSQL.Value, err, inSQL)
		}
		if left := b.stored(c.user); left != c.left {
			b.Errorf("%s: Redis holds %q, want %q", c.user, left, c.left)
		}
	}
}

func deadInSQLIsIgnored(b *rig) {
	b.sql.rows["u"] = "dead"
	if got := b.get("u"); got != "dead" {
		b.Errorf("before the proof: got %q", got)
	}
	b.forget("u", "dead")
	if left := b.rdb.PTTL(b.Context(), b.names.NoToken("u")).Val(); left > time.Hour || left < 50*time.Minute {
		b.Errorf("the token is ignored for %s, want an hour", left)
	}
	for range 2 {
		if got := b.get("u"); got != "" {
			b.Errorf("after the proof: got %q", got)
		}
	}
	b.sql.rows["u"] = "new"
	if got := b.get("u"); got != "new" {
		b.Errorf("after the refresh: got %q", got)
	}
}

func forgetWithoutSQL(b *rig) {
	b.set("u", "dead")
	b.sql.down = errors.New("connection refused")
	found, err := b.store.Forget(b.Context(), "u", notification.ParseToken("dead"), "42")
	if !reflect.DeepEqual(found, tokens.ForgetResult{Removed: true}) || !tokens.IsUndecided(err, "u") || !errors.Is(err, b.sql.down) {
		b.Errorf("got %+v, %v", found, err)
	}
	if another, err := b.store.FindAnother(b.Context(), "u", notification.ParseToken("dead")); !another.IsZero() || !tokens.IsUndecided(err, "u") {
		b.Errorf("another token: got %v, %v", another, err)
	}
	b.set("u", "new") // with a token in Redis, SQL is not needed
	if _, current := b.forget("u", "dead"); current != "new" {
		b.Errorf("got %q, want the new one", current)
	}
}

// While SQL does not answer, it may hold the dead token, so a copy is kept. If it says that it does
// not, there is nothing to restore.
func copiesWhatSQLMayHold(b *rig) {
	b.sql.down = errors.New("connection refused")
	if _, err := b.store.Forget(b.Context(), "u", notification.ParseToken("dead"), "42"); !tokens.IsUndecided(err, "u") {
		b.Errorf("got %v, want that SQL did not answer", err)
	}
	b.sql.down = nil
	b.forget("v", "dead")
	b.set("w", "alive")
	b.forget("w", "dead")
	b.expectRestored("while SQL was down", b.restore(tokens.Filter{Users: []string{"u"}}), tokens.RestoreResult{Restored: 1})
	b.expectRestored("stored nowhere", b.restore(tokens.Filter{Users: []string{"v"}}), tokens.RestoreResult{Gone: 1})
	b.expectRestored("not stored beside another", b.restore(tokens.Filter{Users: []string{"w"}}), tokens.RestoreResult{Gone: 1})
	if got := b.stored("u"); got != "dead" {
		b.Errorf("Redis holds %q, want the token again", got)
	}
}

// oddUserIDs have their mark in another slot than their token, or a hash tag.
func oddUserIDs(b *rig) {
	for _, user := range []string{"a}b", "{x}", "{}", "a b", "", "ü\x00"} {
		b.sql.rows[user] = "dead"
		if got := b.get(user); got != "dead" {
			b.Errorf("%q: got %q", user, got)
		}
		if removed, current := b.forget(user, "dead"); !removed || current != "" {
			b.Errorf("%q: got %v, %q", user, removed, current)
		}
		if got := b.get(user); got != "" {
			b.Errorf("%q: got %q after the proof", user, got)
		}
	}
}

func TestForgetLeavesOtherTypesAlone(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	if err := b.rdb.HSet(t.Context(), b.names.Token("u"), "field", "dead").Err(); err != nil {
		t.Fatal(err)
	}
	b.sql.rows["u"] = "new"
	if removed, current := b.forget("u", "dead"); removed || current != "new" {
		t.Errorf("got %v, %q", removed, current)
	}
	if kind := b.rdb.Type(t.Context(), b.names.Token("u")).Val(); kind != "hash" {
		t.Errorf("the hash became %s", kind)
	}
}

func TestForgetPassesWhenRedisIsFull(t *testing.T) {
	b := newRig(t, backends.OpenRedis(t).Redis)
	b.set("u", "dead")
	b.setDevices("u", fidA, "")
	b.sql.rows["u"] = "dead"
	if err := b.rdb.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.rdb.Set(t.Context(), "any", "text", 0).Err(); err == nil {
		t.Fatal("Redis is not full")
	}
	for _, dead := range []string{fidA, "dead"} {
		if removed, _ := b.forget("u", dead); !removed {
			t.Errorf("%s stays", dead)
		}
	}
	if got := b.get("u"); got != "" {
		t.Errorf("the dead token came back as %q: it is not marked", got)
	}
}

// The client repeats a command whose reply was lost. By then the token may be a new one.
func TestForgetSurvivesLostReplies(t *testing.T) {
	upstream := servers.Redis(t)
	proxy := servers.NewProxy(t, upstream)
	b := newRig(t, backends.Connect(t, proxy.Addr()))
	direct := backends.Connect(t, upstream)
	b.set("u", "dead")
	proxy.Lose(servers.IsScript, func(n int, _ []string) bool {
		if n == 2 { // the application refreshes the token between the deletion and its repetition
			direct.Set(t.Context(), b.names.Token("u"), "new", 0)
		}
		return n == 2
	})
	if removed, current := b.forget("u", "dead"); removed || current != "new" {
		t.Errorf("got %v, %q, want the new token to be found", removed, current)
	}
	if got := b.stored("u"); got != "new" {
		t.Errorf("Redis holds %q", got)
	}
	if _, lost := proxy.CountMatches(); lost == 0 {
		t.Error("no reply was lost")
	}
}

func TestForgetNeedsAToken(t *testing.T) {
	b := newRig(t, backends.Connect(t, "127.0.0.1:0"))
	if _, err := b.store.Forget(t.Context(), "u", notification.Target{}, "42"); err == nil {
		t.Error("accepted")
	}
}

func TestForgetWithoutASource(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	names := keys.Default()
	store, err := tokens.New(b.rdb, names, nil, tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.rdb.Set(t.Context(), names.Token("u"), "dead", 0)
	found, err := store.Forget(t.Context(), "u", notification.ParseToken("dead"), "42")
	if !reflect.DeepEqual(found, tokens.ForgetResult{Removed: true}) || err != nil {
		t.Errorf("got %+v, %v", found, err)
	}
}

// Without SQL, a token that is stored nowhere replaces no copy of another one. It stays marked as
// dead when that one is restored.
func TestForgetWithoutASourceKeepsTheFirstCopy(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	store, err := tokens.New(b.rdb, b.names, nil, tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.rdb.Set(t.Context(), b.names.Token("u"), "first", 0)
	for _, dead := range []string{"first", "second"} {
		if _, err := store.Forget(t.Context(), "u", notification.ParseToken(dead), "42"); err != nil {
			t.Fatal(err)
		}
	}
	restored, err := store.Restore(t.Context(), tokens.Filter{Users: []string{"u"}}, tokens.RestoreOptions{})
	if err != nil || restored.Restored != 1 || b.stored("u") != "first" {
		t.Errorf("restored %+v, error %v; Redis holds %q, want the first token", restored, err, b.stored("u"))
	}
	if mark := b.rdb.Get(t.Context(), b.names.NoToken("u")).Val(); mark != "second" { // the restored one is on it no more
		t.Errorf("known as dead is %q, want the second token", mark)
	}
}
