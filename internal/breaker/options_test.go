package breaker_test

import (
	"math"
	"testing"
	"time"

	"fanfare/internal/breaker"
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
