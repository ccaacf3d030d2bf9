package main

import (
	"database/sql"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/operator"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

// TestRestoreReachesSQL restores a token in users(id, fcm_token) with the default settings.
func TestRestoreReachesSQL(t *testing.T) {
	addr, file := servers.Redis(t), filepath.Join(t.TempDir(), "app.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE users (id text, fcm_token text); INSERT INTO users VALUES ('u1', NULL), ('u2', 'new')`); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = rdb.Close() })
	for _, user := range []string{"u1", "u2"} {
		if err := rdb.Set(t.Context(), "{user:"+user+":token}:removed", `{"token":"old","campaign":"42","at":1,"ttl":0}`, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := rdb.RPush(t.Context(), "notification:responses", "a result").Err(); err != nil {
		t.Fatal(err)
	}

	root, out := newRoot(io.Discard, io.Discard), new(strings.Builder)
	root.SetOut(out)
	root.SetArgs([]string{"tokens", "restore", "--all", "--redis.url", "redis://" + addr, "--store.database_url", "sqlite:" + file})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"restored 1 token in", "left alone 1 user with a newer token", "not yet written by the responder: 1 result;"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it says %q, want %q", out, want)
		}
	}
	var first, second string
	if err := db.QueryRowContext(t.Context(), `SELECT a.fcm_token, b.fcm_token FROM users a, users b WHERE a.id = 'u1' AND b.id = 'u2'`).Scan(&first, &second); err != nil {
		t.Fatal(err)
	}
	if first != "old" || second != "new" {
		t.Errorf("SQL holds %q and %q", first, second)
	}
}

func TestATokenThatCannotBeOne(t *testing.T) {
	text := printed(func(w io.Writer) {
		printToken(w, userToken{UserID: "u", Token: "a b", Known: true, Problem: "holds a space"}, true)
	})
	says(t, "problem", text, "cannot be a token, and is never sent", true)
	says(t, "none", printed(func(w io.Writer) { printToken(w, userToken{UserID: "u"}, true) }), "u has no token", true)
}

// Without a count, the tokens of named users are all shown, or the text says how many are.
func TestRemovedTokensOfUsers(t *testing.T) {
	text := func(total int64, counted bool) string {
		found := operator.RemovedTokens{Total: total, Newest: []tokens.RemovedToken{{User: "u", At: time.Now()}}}
		return printed(func(w io.Writer) { printRemoved(output{w: w}, found, counted) })
	}
	says(t, "all", text(1, false), "shown", false)
	says(t, "some", text(2, false), "1 of 2 shown", true)
	says(t, "of everybody", text(1, true), "1 of 1 shown", true)
}
