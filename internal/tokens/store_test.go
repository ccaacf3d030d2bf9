package tokens_test

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
)

func setGetRemove(b *rig) {
	if err := b.store.Set(b.Context(), "u", notification.ParseToken("token")); err != nil {
		b.Fatal(err)
	}
	if got := b.get("u"); got != "token" {
		b.Errorf("got %q", got)
	}
	if left := b.rdb.TTL(b.Context(), b.names.Token("u")).Val(); left >= 0 {
		b.Errorf("it expires in %v, want never", left)
	}
	for _, want := range []bool{true, false} {
		existed, err := b.store.Remove(b.Context(), "u")
		if existed != want || err != nil {
			b.Errorf("remove: got %v, %v, want %v", existed, err, want)
		}
	}
	if got := b.get("u"); got != "" {
		b.Errorf("after removal: got %q", got)
	}
	if err := b.store.Set(b.Context(), "u", notification.Target{}); err == nil {
		b.Error("an empty token was stored")
	}
}

// many returns n users with their tokens. The one at position empty has none.
func many(n, empty int) iter.Seq2[string, notification.Device] {
	return func(yield func(string, notification.Device) bool) {
		for i := range n {
			token := notification.ParseToken(fmt.Sprint("t", i))
			if i == empty {
				token = notification.Target{}
			}
			if !yield(fmt.Sprint("u", i), notification.Device{Target: token}) {
				return
			}
		}
	}
}

func importMany(b *rig) {
	const n = 2500
	b.set("u7", "outdated")
	imported, err := b.store.Import(b.Context(), many(n, -1))
	if imported != n || err != nil {
		b.Fatalf("got %d, %v", imported, err)
	}
	for _, i := range []int{0, 7, 999, 1000, 2499} {
		if got := b.stored(fmt.Sprint("u", i)); got != fmt.Sprint("t", i) {
			b.Errorf("user %d has %q", i, got)
		}
	}
}

func importStopsAtNothing(b *rig) {
	imported, err := b.store.Import(b.Context(), many(2500, 1200))
	if imported != 1000 || err == nil {
		b.Errorf("got %d, %v, want 1000 and an error", imported, err)
	}
	if got := b.stored("u1300"); got != "" {
		b.Errorf("what follows was imported: %q", got)
	}
}

func TestImportReturnsProgress(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, backends.Connect(t, server.Addr()))
	pairs := func(yield func(string, notification.Device) bool) {
		for user, token := range many(2500, -1) {
			if user == "u1500" {
				server.SetError("READONLY You can't write against a read only replica.")
			}
			if !yield(user, token) {
				return
			}
		}
	}
	imported, err := b.store.Import(t.Context(), pairs)
	if imported != 1000 || err == nil {
		t.Errorf("got %d, %v, want 1000 and an error", imported, err)
	}
}

func redisBeforeSQL(b *rig) {
	b.set("cached", "from-Redis")
	b.set("emptied", "")
	b.sql.rows = map[string]string{"cached": "outdated", "emptied": "t-emptied", "stored": "t-stored", "blank": ""}
	users := []string{"cached", "emptied", "stored", "blank", "stranger"}
	want := map[string][]notification.Device{
		"cached":  {{Target: notification.ParseToken("from-Redis")}},
		"emptied": {{Target: notification.ParseToken("t-emptied")}},
		"stored":  {{Target: notification.ParseToken("t-stored")}},
	}
	for range 2 {
		found, err := b.store.Lookup(b.Context(), users)
		if err != nil || !reflect.DeepEqual(found, want) {
			b.Errorf("got %v, %v, want %v", found, err, want)
		}
	}
	if b.sql.queries != 1 {
		b.Errorf("SQL was asked %d times, want once", b.sql.queries)
	}
}

func TestDefaultExpiries(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, backends.Connect(t, server.Addr()))
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
	b := newRig(t, backends.Connect(t, miniredis.RunT(t).Addr()))
	b.set("cached", "token")
	b.sql.down = errors.New("connection refused")
	found, err := b.store.Lookup(t.Context(), []string{"cached", "other"})
	if tokens.Newest(found["cached"]) != notification.ParseToken("token") || tokens.IsUndecided(err, "cached") {
		t.Errorf("cached: got %v, %v", found["cached"], err)
	}
	if !tokens.IsUndecided(err, "other") || !errors.Is(err, b.sql.down) {
		t.Errorf("other: got error %v, want it undecided", err)
	}
	if partial, ok := errors.AsType[*tokens.SourceError](err); !ok || len(partial.IDs) != 1 {
		t.Errorf("got %v, want a SourceError that names one", err)
	}
}

func TestNewRefusesShortExpiries(t *testing.T) {
	rdb := backends.Connect(t, "127.0.0.1:0")
	for name, o := range map[string]tokens.Options{
		"TTL":          {TTL: time.Millisecond},
		"negative TTL": {NegativeTTL: -time.Second},
		"keep":         {KeepTTL: time.Millisecond},
	} {
		if _, err := tokens.New(rdb, keys.Default(), nil, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
