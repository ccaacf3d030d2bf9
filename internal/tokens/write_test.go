package tokens_test

import (
	"fmt"
	"iter"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/notification"
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

// many is n users with their tokens; the one at position empty has none.
func many(n, empty int) iter.Seq2[string, notification.Target] {
	return func(yield func(string, notification.Target) bool) {
		for i := range n {
			token := notification.ParseToken(fmt.Sprint("t", i))
			if i == empty {
				token = notification.Target{}
			}
			if !yield(fmt.Sprint("u", i), token) {
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
		if got := b.held(fmt.Sprint("u", i)); got != fmt.Sprint("t", i) {
			b.Errorf("user %d has %q", i, got)
		}
	}
}

func importStopsAtNothing(b *rig) {
	imported, err := b.store.Import(b.Context(), many(2500, 1200))
	if imported != 1000 || err == nil {
		b.Errorf("got %d, %v, want 1000 and an error", imported, err)
	}
	if got := b.held("u1300"); got != "" {
		b.Errorf("what follows was imported: %q", got)
	}
}

func TestImportTellsHowFarItCame(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, connect(t, server.Addr()))
	pairs := func(yield func(string, notification.Target) bool) {
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
