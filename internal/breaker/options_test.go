package breaker_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/test/backends"
)

func TestOptionsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*breaker.Options){
		"canary below 0":  func(o *breaker.Options) { o.Canary = -1 },
		"canary too long": func(o *breaker.Options) { o.Canary = 1_000_000 },
		"lease":           func(o *breaker.Options) { o.Lease = time.Millisecond },
		"probe":           func(o *breaker.Options) { o.Probe = 0 },
		"longest probe":   func(o *breaker.Options) { o.LongestProbe = o.Probe - 1 },
		"share":           func(o *breaker.Options) { o.Thresholds[breaker.NotFound] = breaker.Threshold{Share: 1.1, Least: 1} },
		"share not a number": func(o *breaker.Options) {
			o.Thresholds[breaker.NotFound] = breaker.Threshold{Share: math.NaN(), Least: 1}
		},
		"least":      func(o *breaker.Options) { o.Thresholds[breaker.NotFound] = breaker.Threshold{Share: 0.1} },
		"impersonal": func(o *breaker.Options) { o.Impersonal.Least = 0 },
		"accepted":   func(o *breaker.Options) { o.Thresholds[breaker.Accepted] = breaker.Threshold{Least: 1} },
		"odd kind":   func(o *breaker.Options) { o.Thresholds["odd"] = breaker.Threshold{Least: 1} },
	} {
		o := breaker.DefaultOptions()
		spoil(&o)
		if _, err := breaker.New(nil, o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	o := breaker.DefaultOptions()
	b, err := breaker.New(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	want := b.Limit(breaker.NotFound)
	o.Thresholds[breaker.NotFound] = breaker.Threshold{}
	wantEqual(t, "limit after a change of the caller's map", b.Limit(breaker.NotFound), want)
}

// Whatever numbers a hand has put into a breaker's hash: what is shown of it can be written as
// JSON, or the key is named.
func TestHostileNumbersAreShownWithinBounds(t *testing.T) {
	b := backends.OpenMiniredis(t)
	for _, n := range []string{"-9223372036854775808", "-1", "9223372036854775807", "99999999999999999999", "NaN", "1e9"} {
		f := open(t, b, 1, options())
		f.replicas[0].admit("a", 1)
		for field, value := range map[string]string{
			"hold": "id " + n + " " + n + " " + n + " unanswered why", "released": n + " " + n, "spent": n, "round": n,
			"last": `{"scope":"campaign","kind":"other","at":"0000-01-01T00:00:00+14:00","reason":"why"}`,
		} {
			f.ok(f.rdb.HSet(t.Context(), f.key(), field, value).Err())
		}
		s, err := f.replicas[0].State(t.Context(), f.list)
		if err != nil {
			continue // it names the key, and what to do
		}
		if _, err := json.Marshal(s); err != nil {
			t.Errorf("%s: %v", n, err)
		}
		if s.Last == nil || !s.Last.At.IsZero() {
			t.Errorf("%s: last trip %+v, want one without a time", n, s.Last)
		}
		if s.Hold == nil || s.Hold.Tries < 0 || s.Hold.Kind != breaker.Unanswered {
			t.Errorf("%s: hold %+v", n, s.Hold)
		}
	}
}
