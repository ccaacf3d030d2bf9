package bounds

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const century = 100 * 365 * 24 * time.Hour

// Whatever the number, the time can be printed, subtracted and compared.
func TestMomentsAreUsable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, -1, 0, 1, math.MaxInt64, 253_402_300_799_999, 253_402_300_800_000})).Draw(t, "number")
		for name, at := range map[string]time.Time{"ms": Milli(n), "us": Micro(n)} {
			if _, err := json.Marshal(at); err != nil || !Contains(at) || at.Location() != time.UTC {
				t.Fatalf("%d %s became %s: %v", n, name, at, err)
			}
		}
		if d := Span(n); d < 0 || d > century {
			t.Fatalf("%d ms became %s", n, d)
		}
		if c := Count(int(n)); c < 0 || c > 1_000_000 {
			t.Fatalf("count of %d", c)
		}
	})
	for _, years := range []int64{99, 100, 101, 1000} {
		year := century / 100
		if d := Span(years * year.Milliseconds()); d != time.Duration(min(years, 100))*year {
			t.Errorf("%d years became %s", years, d)
		}
	}
	const now = 1_767_225_600_000
	if at := Milli(now); at.UnixMilli() != now || Micro(now*1000) != at || Span(1500) != 1500*time.Millisecond || Count(7) != 7 || Span(0) != 0 || Span(-1) != 0 || Count(0) != 0 {
		t.Errorf("%s is not kept", at)
	}
	for text, want := range map[string]bool{
		"0000-01-01T00:00:00Z": false, "1969-12-31T23:59:59Z": false, "1970-01-01T00:00:00Z": true, "9999-12-31T23:59:59Z": true,
		"9999-12-31T23:59:59-14:00": false, "0001-01-01T00:00:00Z": false,
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if Contains(at.UTC()) != want {
			t.Errorf("%s is within the bounds: %t", text, !want)
		}
	}
}
