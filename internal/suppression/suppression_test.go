package suppression

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func TestSuppression(t *testing.T) {
	t.Parallel()
	backends.Run(t, backends.Suite{
		{Name: "users are added, found, listed and removed", Test: keepsUsers},
		{Name: "a key of another type is named", Test: wrongType},
	})
}

func keepsUsers(t *testing.T, b *backends.Backend) {
	set, ctx := New(b.Redis, keys.Default()), t.Context()
	if found, err := set.Find(ctx, []string{"u1"}); err != nil || len(found) != 0 {
		t.Errorf("without a set: %v %v", found, err)
	}
	var users []string
	for i := range 2500 {
		users = append(users, fmt.Sprintf("u%04d", i))
	}
	for _, want := range []int64{2500, 0} {
		if added, err := set.Add(ctx, users...); err != nil || added != want {
			t.Errorf("added %d, want %d: %v", added, want, err)
		}
	}
	if found, err := set.Find(ctx, append([]string{"other"}, users...)); err != nil || len(found) != 2500 || found["other"] || !found["u2499"] {
		t.Errorf("found %d users: %v", len(found), err)
	}
	var listed []string
	for user, err := range set.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, user)
	}
	slices.Sort(listed)
	if listed = slices.Compact(listed); !slices.Equal(listed, users) {
		t.Errorf("listed %d users, want all 2,500", len(listed))
	}
	if removed, err := set.Remove(ctx, "u0001", "other"); err != nil || removed != 1 {
		t.Errorf("removed %d, want 1: %v", removed, err)
	}
	if n, err := set.Count(ctx); err != nil || n != 2499 {
		t.Errorf("counted %d, want 2,499: %v", n, err)
	}
}

func wrongType(t *testing.T, b *backends.Backend) {
	names := keys.Default()
	names.Suppressed = "other:key"
	b.Redis.Set(t.Context(), names.Suppressed, "x", 0)
	_, err := New(b.Redis, names).Find(t.Context(), []string{"u1"})
	if mistyped, ok := errors.AsType[*redisx.TypeError](err); !ok || mistyped.Key != names.Suppressed {
		t.Errorf("%v, want the key named", err)
	}
}
