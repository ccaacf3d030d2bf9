package cuts

import (
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
	"fanfare/internal/tokens"
)

const (
	tokenKey = "user:7:token"
)

// TestTokens cuts what removes tokens and gives them back: a token is where it was, or there is a
// copy of it, and it continues from there.
func TestTokens(t *testing.T) {
	sound, cutting, k := open(t)
	store, err := tokens.New(cutting, keys.Default(), nil, tokens.Options{KeepTTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	forget := func(t *testing.T, user string) error {
		_, err := store.Forget(t.Context(), user, notification.ParseToken("dead"), "42")
		return err
	}
	restore := func(t *testing.T) error {
		_, err := store.Restore(t.Context(), tokens.Filter{Users: []string{"7"}}, tokens.RestoreOptions{})
		return err
	}
	fresh := func(user, token string) func(t *testing.T) string {
		return func(t *testing.T) string {
			must(t, sound.FlushAll(t.Context()).Err())
			must(t, sound.Set(t.Context(), "user:"+user+":token", token, 0).Err())
			return user
		}
	}
	restored := func(t *testing.T, user string) {
		must(t, restoreOf(store, user)(t))
		if got := sound.Get(t.Context(), "user:"+user+":token").Val(); got != "dead" {
			t.Errorf("the token is lost: %q", got)
		}
	}
	forgotten := func(t *testing.T, user string) {
		must(t, forget(t, user))
		if n := sound.Exists(t.Context(), "user:"+user+":token").Val(); n != 0 {
			t.Error("the token is still there")
		}
		restored(t, user)
	}
	for script, user := range map[string]string{"tokens/forget": "7", "tokens/delete": "7}x", "tokens/keep": "7}x"} {
		each(t, k, script, fresh(user, "dead"), forget, restored)
		each(t, k, script, fresh(user, "dead"), forget, forgotten)
	}
	each(t, k, "tokens/forget", fresh("7", "newer"), forget, func(t *testing.T, _ string) {
		must(t, forget(t, "7"))
		if got := sound.Get(t.Context(), tokenKey).Val(); got != "newer" {
			t.Errorf("a newer token became %q", got)
		}
	})
	removed := func(t *testing.T) string {
		user := fresh("7", "dead")(t)
		must(t, forget(t, user))
		return user
	}
	for _, script := range []string{"tokens/put_back", "tokens/drop_copy"} {
		each(t, k, script, removed, func(t *testing.T, _ string) error { return restore(t) }, restored)
	}
	devices := func(t *testing.T) string {
		must(t, sound.FlushAll(t.Context()).Err())
		must(t, sound.HSet(t.Context(), "user:7:devices", "dead", `{"platform":"ios"}`).Err())
		return "7"
	}
	deviceRestored := func(t *testing.T, user string) {
		must(t, restoreOf(store, user)(t))
		if got := sound.HGet(t.Context(), "user:7:devices", "dead").Val(); got != `{"platform":"ios"}` {
			t.Errorf("the device is lost: %q", got)
		}
	}
	deviceForgotten := func(t *testing.T) string {
		user := devices(t)
		must(t, forget(t, user))
		return user
	}
	each(t, k, "tokens/keep_device", devices, forget, deviceRestored)
	for _, script := range []string{"tokens/put_back_device", "tokens/unmark", "tokens/drop_device_copy"} {
		each(t, k, script, deviceForgotten, func(t *testing.T, _ string) error { return restore(t) }, deviceRestored)
	}
	each(t, k, "tokens/put_devices", func(t *testing.T) string {
		must(t, sound.FlushAll(t.Context()).Err())
		return "7"
	}, func(t *testing.T, _ string) error {
		text := redisx.Join(scripts()["tokens/prelude"], scripts()["tokens/put_devices"])
		return cutting.Eval(t.Context(), text, []string{"user:7:devices"}, 1000, "phone", "", "tablet", "").Err()
	}, func(t *testing.T, user string) {
		if found, err := store.Get(t.Context(), user); err != nil || len(found) != 0 && len(found) != 2 {
			t.Errorf("found %v, %v", found, err)
		}
	})
	each(t, k, "readthrough/delete_if", func(t *testing.T) string {
		must(t, sound.FlushAll(t.Context()).Err())
		must(t, sound.Set(t.Context(), tokenKey, "stale", 0).Err())
		return ""
	}, func(t *testing.T, _ string) error {
		return cutting.Eval(t.Context(), redisx.Join(scripts()["readthrough/delete_if"]), []string{tokenKey}, "stale").Err()
	}, func(t *testing.T, _ string) {})
}

func restoreOf(store *tokens.Store, user string) func(t *testing.T) error {
	return func(t *testing.T) error {
		_, err := store.Restore(t.Context(), tokens.Filter{Users: []string{user}}, tokens.RestoreOptions{})
		return err
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
