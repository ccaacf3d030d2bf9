package campaign_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
)

// A name is shown whole in lists, and a reason on one line.
func TestTextsOfPeople(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	c := openOn(t, rdb, rdb, eager)
	for _, name := range []string{"two\nlines", "a\x00b", "\x1b[31mred", "right\u202eleft", strings.Repeat("x", 201)} {
		err := c.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(`{}`), Name: name})
		if spec, ok := errors.AsType[*campaign.SpecError](err); !ok || spec.Field != "name" {
			t.Errorf("name %.20q: %v", name, err)
		}
	}
	if err := c.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(`{}`), Name: "Черная пятница 🎁"}); err != nil {
		t.Fatal(err)
	}
	for reason, want := range map[string]string{"a\nb\x1b[31m\u202ec": "a b [31m c", strings.Repeat("ü", 1000): strings.Repeat("ü", 500)} {
		if err := c.Move(t.Context(), "42", campaign.Cancelled, reason); err != nil {
			t.Fatal(err)
		}
		spec, err := c.Get(t.Context(), "42")
		if err != nil || spec.Reason != want {
			t.Errorf("reason %.20q is %q (%v), want %.20q", reason, spec.Reason, err, want)
		}
		if err := c.Delete(t.Context(), "42"); err != nil {
			t.Fatal(err)
		}
		if err := c.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
}
