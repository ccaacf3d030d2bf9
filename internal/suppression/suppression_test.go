package suppression

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
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
		{Name: "users in SQL are found too", Test: asksSQL},
	})
}

func keepsUsers(t *testing.T, b *backends.Backend) {
	set, ctx := New(b.Redis, keys.Default(), nil), t.Context()
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
	next, stop := iter.Pull2(set.All(ctx))
	if first, err, found := next(); err != nil || !found || !slices.Contains(users, first) {
		t.Errorf("the first of all is %q: %v", first, err)
	}
	stop() // a caller may stop at the first
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
	set, ctx := New(b.Redis, names, nil), t.Context()
	_, found := set.Find(ctx, []string{"u1"})
	_, added := set.Add(ctx, "u1")
	_, removed := set.Remove(ctx, "u1")
	_, counted := set.Count(ctx)
	var listed error
	for _, err := range set.All(ctx) {
		listed = err
	}
	for what, err := range map[string]error{"find": found, "add": added, "remove": removed, "count": counted, "list": listed} {
		if mistyped, ok := errors.AsType[*redisx.TypeError](err); !ok || mistyped.Key != names.Suppressed {
			t.Errorf("%s: %v, want the key named", what, err)
		}
	}
}

// table is a source that remembers its last question.
type table struct {
	users map[string]bool
	err   error
	asked []string
}

func (s *table) Suppressed(_ context.Context, users []string) (map[string]bool, error) {
	s.asked = users
	return s.users, s.err
}

func asksSQL(t *testing.T, b *backends.Backend) {
	source, ctx := &table{users: map[string]bool{"sql": true}}, t.Context()
	set := New(b.Redis, keys.Default(), source)
	if found, err := set.Find(ctx, []string{"sql", "in"}); err != nil || !maps.Equal(found, source.users) {
		t.Errorf("without a set: %v %v", found, err)
	}
	if _, err := set.Add(ctx, "redis"); err != nil {
		t.Fatal(err)
	}
	found, err := set.Find(ctx, []string{"redis", "sql", "in"})
	if want := map[string]bool{"redis": true, "sql": true}; err != nil || !maps.Equal(found, want) {
		t.Errorf("found %v, want %v: %v", found, want, err)
	}
	if want := []string{"sql", "in"}; !slices.Equal(source.asked, want) {
		t.Errorf("SQL was asked about %v, want %v", source.asked, want)
	}
	source.err = errors.New("SQL is away")
	if found, err := set.Find(ctx, []string{"redis", "in"}); !errors.Is(err, source.err) || found != nil {
		t.Errorf("while SQL is away: %v %v, want nothing but the error", found, err)
	}
}
