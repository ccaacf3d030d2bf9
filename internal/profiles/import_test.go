package profiles_test

import (
	"testing"

	"fanfare/internal/keys"
	"fanfare/internal/profiles"
	"fanfare/test/backends"
)

// An import stores the profiles of users who have none.
func TestImport(t *testing.T) {
	backends.Each(t, func(t *testing.T, b *backends.Backend) {
		cache, err := profiles.New(b.Redis, keys.Default(), nil, profiles.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b.Redis.Set(t.Context(), "profile:old", `{"a":1}`, 0)
		users := []profiles.User{{ID: "new", Profile: object(`{"b":2}`)}, {ID: "old", Profile: object(`{"b":2}`)}, {ID: "new", Profile: object(`{"c":3}`)}}
		for _, want := range []int64{1, 0} {
			if stored, err := cache.Import(t.Context(), users); err != nil || stored != want {
				t.Errorf("stored %d, want %d: %v", stored, want, err)
			}
		}
		for user, want := range map[string]string{"new": `{"b":2}`, "old": `{"a":1}`} {
			if got := b.Redis.Get(t.Context(), "profile:"+user).Val(); got != want {
				t.Errorf("%s has %s, want %s", user, got, want)
			}
		}
		if stored, err := cache.Import(t.Context(), nil); err != nil || stored != 0 {
			t.Errorf("no one: %d, %v", stored, err)
		}
	})
}
