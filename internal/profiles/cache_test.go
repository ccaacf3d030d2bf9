package profiles_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/profiles"
	"fanfare/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// table is the application's SQL table.
type table struct {
	rows    map[string]json.RawMessage
	down    error
	queries int
}

func (t *table) Profiles(_ context.Context, users []string) (map[string]json.RawMessage, error) {
	t.queries++
	found := make(map[string]json.RawMessage)
	for _, user := range users {
		if profile, exists := t.rows[user]; exists {
			found[user] = profile
		}
	}
	return found, t.down
}

func object(text string) profiles.Profile {
	var p profiles.Profile
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		panic(err)
	}
	return p
}

func TestLookup(t *testing.T) {
	backends.Each(t, func(t *testing.T, b *backends.Backend) { testLookup(t, b.Redis) })
}

func testLookup(t *testing.T, rdb redis.UniversalClient) {
	for user, text := range map[string]string{
		"cached": `{"name":"Ann"}`, "broken": `{"name":`, "list": `[1]`, "null": `null`, "lost": `"Ann"`,
	} {
		if err := rdb.Set(t.Context(), "profile:"+user, text, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	sql := &table{rows: map[string]json.RawMessage{
		"cached": []byte(`{"name":"outdated"}`), "broken": []byte(`{"name":"Bo"}`), "list": []byte(`{"n":1.50}`),
		"null": []byte(`{}`), "stored": []byte(`{"a":{"b":[1, 2]}}`), "nullInSQL": []byte(`null`),
	}}
	var log bytes.Buffer
	c, err := profiles.New(rdb, keys.Default(), sql, profiles.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]profiles.Profile{
		"cached": object(`{"name":"Ann"}`), "broken": object(`{"name":"Bo"}`), "list": object(`{"n":1.50}`),
		"null": {}, "stored": object(`{"a":{"b":[1, 2]}}`),
	}
	users := []string{"cached", "broken", "list", "null", "lost", "stored", "nullInSQL", "stranger"}
	for range 2 {
		got, err := c.Lookup(t.Context(), users)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if sql.queries != 1 {
		t.Errorf("SQL was asked %d times, want once", sql.queries)
	}
	if !strings.Contains(log.String(), "count=3") {
		t.Errorf("the log does not tell of the three unreadable ones: %s", &log)
	}
}

func TestDefaultExpiries(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	sql := &table{rows: map[string]json.RawMessage{"known": []byte(`{}`)}}
	c, err := profiles.New(rdb, keys.Default(), sql, profiles.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lookup(t.Context(), []string{"known", "stranger"}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]time.Duration{
		"profile:known":           3600 * time.Second,
		"{profile:stranger}:none": 30 * time.Second,
	} {
		if got := server.TTL(key); got < want*9/10 || got > want*11/10 {
			t.Errorf("%s lives for %v, want %v ±10%%", key, got, want)
		}
	}
}

func TestSQLIsDown(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	if err := server.Set("profile:cached", `{"name":"Ann"}`); err != nil {
		t.Fatal(err)
	}
	sql := &table{down: errors.New("connection refused")}
	c, err := profiles.New(rdb, keys.Default(), sql, profiles.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := c.Lookup(t.Context(), []string{"cached", "other"})
	if found["cached"] == nil || profiles.IsUndecided(err, "cached") || !profiles.IsUndecided(err, "other") {
		t.Errorf("got %s, %v", found, err)
	}
	if _, ok := errors.AsType[*profiles.SourceError](err); !ok || !errors.Is(err, sql.down) {
		t.Errorf("got %v, want a SourceError with the fault", err)
	}
}

func TestWithoutASource(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	c, err := profiles.New(rdb, keys.Default(), nil, profiles.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := c.Lookup(t.Context(), []string{"stranger"})
	if err != nil || len(found) > 0 {
		t.Errorf("got %s, %v", found, err)
	}
	if keys := server.Keys(); len(keys) > 0 {
		t.Errorf("wrote %v", keys)
	}
}

func TestNewRefusesShortExpiries(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{})
	defer rdb.Close()
	if _, err := profiles.New(rdb, keys.Default(), nil, profiles.Options{TTL: time.Millisecond}); err == nil {
		t.Error("accepted")
	}
}
