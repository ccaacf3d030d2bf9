package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/config"
	"fanfare/internal/operator"
)

// commandOn runs a command on a miniredis, and returns what it prints.
func commandOn(t *testing.T, server *miniredis.Miniredis, args ...string) string {
	t.Helper()
	t.Setenv("REDIS_URL", "redis://"+server.Addr())
	var out strings.Builder
	root := newRoot(&out, io.Discard)
	root.SetArgs(args)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The list shows when a dispatcher of each project was last seen.
func TestProjectsSayWhenTheyWereSeen(t *testing.T) {
	server := miniredis.RunT(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	if _, err := server.ZAdd("{campaign:}:projects", float64(at.UnixMilli()), "demo"); err != nil {
		t.Fatal(err)
	}
	says(t, "seen", commandOn(t, server, "project", "list", "--json"), `[{"project":"demo","seenAt":"`+at.Format(time.RFC3339)+`"}]`, true)
}

// Completion leaves out an id that no shell would insert unchanged.
func TestCompletionOffersWhatCanBeTyped(t *testing.T) {
	server := miniredis.RunT(t)
	for _, id := range []string{"good", "b\x1bad"} {
		server.HSet("{campaign:"+id+"}:spec", "message", `{}`, "state", "draft")
		if _, err := server.SAdd("{campaign:}:registry", id); err != nil {
			t.Fatal(err)
		}
	}
	said := commandOn(t, server, "__complete", "campaign", "show", "")
	says(t, "good", said, "good\tdraft", true)
	says(t, "bad", said, "ad\tdraft", false)
}

// roomsOn opens the rooms over a miniredis and a database of the test's own.
func roomsOn(t *testing.T, edit func(*config.Settings)) *sending.Rooms {
	t.Helper()
	s := config.Defaults()
	s.Redis.URL = config.URL("redis://" + miniredis.RunT(t).Addr())
	s.Store.DatabaseURL = config.URL("sqlite:" + t.TempDir() + "/a.db")
	edit(&s)
	rooms, err := sending.Open(t.Context(), s, "test", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rooms.Close() })
	if err := rooms.Store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return rooms
}

// The demo fails if SQL and the books differ.
func TestTheDemoComparesSQLWithTheBooks(t *testing.T) {
	d := &demo{id: "42", rooms: roomsOn(t, func(*config.Settings) {})}
	if err := d.compareSQL(t.Context(), operator.View{}); err != nil {
		t.Error(err)
	}
	err := d.compareSQL(t.Context(), operator.View{Books: campaign.Books{Failed: 1}})
	if err == nil || err.Error() != "SQL has 0 recipients failed, the books have 1" {
		t.Errorf("got %v", err)
	}
}

// The demo leaves nothing in a given Redis, unless --keep is set.
func TestTheDemoTidies(t *testing.T) {
	for _, keep := range []bool{true, false} {
		d := &demo{id: "42", rooms: roomsOn(t, func(*config.Settings) {}), flags: demoFlags{redis: "given", keep: keep}}
		if err := d.rooms.Campaigns.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
		if err := d.cleanUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := d.rooms.Campaigns.Get(t.Context(), "42"); (err == nil) != keep {
			t.Errorf("keep %t: %v", keep, err)
		}
	}
}

// Without a breaker, a preflight has no limits.
func TestAPreflightKnowsWhetherABreakerWatches(t *testing.T) {
	for _, watched := range []bool{true, false} {
		rooms := roomsOn(t, func(s *config.Settings) { s.Breaker.Enabled = watched })
		if got := breakerLimits(rooms) != nil; got != watched {
			t.Errorf("watched %t: has limits %t", watched, got)
		}
	}
}
