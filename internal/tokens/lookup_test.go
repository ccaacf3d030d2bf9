package tokens_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

func redisBeforeSQL(b *rig) {
	b.set("cached", "from-Redis")
	b.set("emptied", "")
	b.sql.rows = map[string]string{"cached": "outdated", "emptied": "t-emptied", "stored": "t-stored", "blank": ""}
	users := []string{"cached", "emptied", "stored", "blank", "stranger"}
	want := map[string]notification.Target{
		"cached":  notification.ParseToken("from-Redis"),
		"emptied": notification.ParseToken("t-emptied"),
		"stored":  notification.ParseToken("t-stored"),
	}
	for range 2 {
		found, err := b.store.Lookup(b.Context(), users)
		if err != nil || !maps.Equal(found, want) {
			b.Errorf("got %v, %v, want %v", found, err, want)
		}
	}
	if b.sql.queries != 1 {
		b.Errorf("SQL was asked %d times, want once", b.sql.queries)
	}
}

func TestDefaultExpiries(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, connect(t, server.Addr()))
	b.sql.rows["known"] = "token"
	b.get("known")
	b.get("stranger")
	b.forget("deceased", "dead")
	for key, want := range map[string]time.Duration{
		b.names.Token("known"):      24 * time.Hour,
		b.names.NoToken("stranger"): 30 * time.Second,
		b.names.NoToken("deceased"): time.Hour,
	} {
		if got := server.TTL(key); got < want*9/10 || got > want*11/10 {
			t.Errorf("%s lives for %v, want %v ±10%%", key, got, want)
		}
	}
}

func TestSQLIsDown(t *testing.T) {
	b := newRig(t, connect(t, miniredis.RunT(t).Addr()))
	b.set("cached", "token")
	b.sql.down = errors.New("connection refused")
	found, err := b.store.Lookup(t.Context(), []string{"cached", "other"})
	if found["cached"] != notification.ParseToken("token") || tokens.Undecided(err, "cached") {
		t.Errorf("cached: got %v, %v", found["cached"], err)
	}
	if !tokens.Undecided(err, "other") || !errors.Is(err, b.sql.down) {
		t.Errorf("other: got error %v, want it undecided", err)
	}
	if partial, ok := errors.AsType[*tokens.SourceError](err); !ok || len(partial.IDs) != 1 {
		t.Errorf("got %v, want a SourceError that names one", err)
	}
}

func TestNewRefusesShortExpiries(t *testing.T) {
	rdb := connect(t, "127.0.0.1:0")
	for name, o := range map[string]tokens.Options{
		"TTL":          {TTL: time.Millisecond},
		"negative TTL": {NegativeTTL: -time.Second},
		"keep":         {Keep: time.Millisecond},
	} {
		if _, err := tokens.New(rdb, keys.Default(), nil, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
