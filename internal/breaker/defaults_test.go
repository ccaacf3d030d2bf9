package breaker

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"fanfare/internal/redisx"
)

// The defaults are what the pages promise to operators.
func TestDefaults(t *testing.T) {
	want := Options{
		Canary: 100, Lease: 15 * time.Second, Impersonal: Threshold{Least: 3}, Unanswered: Threshold{Share: 0.5, Least: 50},
		Probe: 10 * time.Second, LongestProbe: 10 * time.Minute,
		Thresholds: map[Kind]Threshold{
			Credentials: {Least: 1}, BadMessage: {0.02, 5}, NotFound: {0.05, 5}, SenderMismatch: {0.1, 20}, ThirdPartyAuth: {0.05, 10},
			BadTarget: {0.2, 20}, Unregistered: {0.5, 100}, Other: {0.2, 20},
		},
	}
	if got := DefaultOptions(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for name, c := range map[string]struct {
		change func(*Options)
		ok     bool
	}{
		"no canary":             {func(o *Options) { o.Canary = 0 }, true},
		"the largest canary":    {func(o *Options) { o.Canary = 5000 }, true},
		"a larger one":          {func(o *Options) { o.Canary = 5001 }, false},
		"the shortest lease":    {func(o *Options) { o.Lease = time.Second }, true},
		"a shorter one":         {func(o *Options) { o.Lease = time.Second - 1 }, false},
		"one wait for a probe":  {func(o *Options) { o.LongestProbe = o.Probe }, true},
		"the shortest wait":     {func(o *Options) { o.Probe = time.Millisecond }, true},
		"a wait in nanoseconds": {func(o *Options) { o.Probe = time.Millisecond - 1 }, false},
	} {
		o := DefaultOptions()
		c.change(&o)
		if err := o.validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A reply that no version of the scripts gives is an error.
func TestForeignRepliesAreErrors(t *testing.T) {
	for name, reply := range map[string][]any{
		"too short":      {int64(1), "x"},
		"too long":       {int64(1), "x", []any{}, "y"},
		"no time":        {"1", "x", []any{}},
		"no outcome":     {int64(1), int64(2), []any{}},
		"no fields":      {int64(1), "x", "y"},
		"half a field":   {int64(1), "x", []any{"round"}},
		"a bad name":     {int64(1), "x", []any{int64(1), "1"}},
		"a field's type": {int64(1), "x", []any{"round", int64(1)}},
	} {
		if _, _, err := decode(reply); !errors.Is(err, redisx.ErrReply) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, outcome, err := decode([]any{int64(1), "x", []any{"round", "1"}}); err != nil || outcome != "x" {
		t.Errorf("a good one: %q, %v", outcome, err)
	}
}
