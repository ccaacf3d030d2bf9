package tokens_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

func TestKeepNoneKeepsNoCopy(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	store, err := tokens.New(b.rdb, b.names, nil, tokens.Options{KeepTTL: tokens.KeepNone})
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"held", "odd}", "unknown"} {
		if user != "unknown" {
			b.set(user, "dead")
		}
		found, err := store.Forget(t.Context(), user, notification.ParseToken("dead"), "42")
		if err != nil || found.Removed != (user != "unknown") {
			t.Errorf("%s: %+v, %v", user, found, err)
		}
		if mark := b.rdb.Get(t.Context(), b.names.NoToken(user)).Val(); mark != "dead" {
			t.Errorf("%s: the mark is %q", user, mark)
		}
	}
	if got := b.removed(tokens.Filter{}); len(got) > 0 {
		t.Errorf("kept %q", got)
	}
}

func TestFullRedisRemovesAndRestores(t *testing.T) {
	b := newRig(t, backends.OpenRedis(t).Redis)
	users := []string{"u", "odd}", "in SQL"}
	b.setDevices("v", fidA, "")
	for _, user := range users[:2] {
		b.set(user, "dead")
	}
	b.sql.rows["in SQL"] = "dead"
	if err := b.rdb.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		if removed, _ := b.forget(user, "dead"); removed != (user != "in SQL") {
			t.Errorf("%s: removed %v", user, removed)
		}
	}
	b.forget("v", fidA)
	delete(b.sql.rows, "in SQL")
	b.expectRestored("full", b.restore(tokens.Filter{}), tokens.RestoreResult{Restored: 4})
	b.expectAddresses("v", "fid "+fidA)
	for _, user := range users {
		if b.stored(user) != "dead" {
			t.Errorf("%s has %q", user, b.stored(user))
		}
	}
}

func TestUnreadableCopyIsSkipped(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	var log bytes.Buffer
	var err error
	if b.store, err = tokens.New(b.rdb, b.names, b.sql, tokens.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
		t.Fatal(err)
	}
	for user, text := range map[string]string{"u1": "{", "u2": `{"token":1}`} {
		b.rdb.Set(t.Context(), b.names.RemovedToken(user), text, 0)
	}
	b.rdb.HSet(t.Context(), b.names.RemovedToken("u3"), "token", "t")
	b.set("u4", "dead")
	b.forget("u4", "dead")
	b.expectRestored("everything", b.restore(tokens.Filter{}), tokens.RestoreResult{Restored: 1})
	if said := log.String(); !strings.Contains(said, "u1") || !strings.Contains(said, "u2") {
		t.Errorf("the log names %s", said)
	}
	b.expectRestored("by name", b.restore(tokens.Filter{Users: []string{"u1", "u3"}}), tokens.RestoreResult{Gone: 2})
	b.set("u3", "dead")
	if _, err := b.store.Forget(t.Context(), "u3", notification.ParseToken("dead"), "42"); err == nil || !strings.Contains(err.Error(), b.names.RemovedToken("u3")) {
		t.Errorf("got %v, want the key of another type named", err)
	}
	if b.stored("u3") != "dead" {
		t.Error("the token is gone, and no copy is kept")
	}
}

func TestRestoreStopsWhenSQLFails(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	b.set("u", "dead")
	b.forget("u", "dead")
	b.sql.down = fmt.Errorf("connection refused")
	if sum, err := b.store.Restore(t.Context(), tokens.Filter{}, tokens.RestoreOptions{}); err == nil || sum != (tokens.RestoreResult{}) {
		t.Errorf("got %+v, %v", sum, err)
	}
	b.sql.down = nil
	b.expectRestored("later", b.restore(tokens.Filter{}), tokens.RestoreResult{Restored: 1})
}

// A user gets a token between the look at Redis and the write. That token stays.
func TestRestoreKeepsATokenThatCameMeanwhile(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	b.set("u", "dead")
	b.forget("u", "dead")
	b.sql.onRestore = func() { b.set("u", "new") }
	b.expectRestored("meanwhile", b.restore(tokens.Filter{}), tokens.RestoreResult{Newer: 1})
	if stored := b.stored("u"); stored != "new" {
		t.Errorf("Redis has %q, want the new token", stored)
	}
}
