package pacing

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the hashes of a project hold: what is shown of it is within bounds, and can be written as JSON.
func TestHostileFieldsAreShownWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(
			rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }),
			rapid.SampledFrom([]string{"", "NaN", "inf", "-inf", "1e308", "-1e308", "x", strconv.Itoa(math.MinInt64), "99999999999999999999"}),
		)
		if w := fraction(value.Draw(t, "warm")); !(w >= 0 && w <= 1) {
			t.Fatalf("%g of a ramp", w)
		}
		halts := decodeHalts(map[string]string{"why": value.Draw(t, "since") + " somebody", value.Draw(t, "reason"): ""})
		gate := Gate{Until: instant(whole(value.Draw(t, "gate")))}
		if _, err := json.Marshal([]any{halts, gate}); err != nil {
			t.Fatal(err)
		}
		for _, h := range halts {
			if h.Since.Before(time.Unix(0, 0)) {
				t.Fatalf("halted since %s", h.Since)
			}
		}
	})
}
