package pacing

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/test/backends"
)

// With any number of replicas the quota is used, and evenly so in each second and each tenth of
// one.
func TestReplicasShareEvenly(t *testing.T) {
	for _, replicas := range []int{1, 4, 8, 32} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			inBubble(t, steady(2000), func(f *fleet) {
				all := f.replicas(replicas, 100)
				f.pass(11 * time.Second)
				for s := range 10 {
					from := time.Duration(s+1) * time.Second
					wantBetween(t, fmt.Sprintf("second %d", s), f.count(from, from+time.Second), 1960, 2040)
					wantBetween(t, fmt.Sprintf("tenth of second %d", s), f.count(from, from+time.Second/10), 180, 220)
				}
				f.stop(all)
			})
		})
	}
}

// A failover to a server whose clock is behind costs a few seconds, and not the time until that
// clock has caught up. No one sends more because of it.
func TestServerClockIsPutBack(t *testing.T) {
	inBubble(t, steady(2000), func(f *fleet) {
		all := f.replicas(4, 100)
		f.pass(5 * time.Second)
		f.mem.putBack(time.Hour)
		f.pass(10 * time.Second)
		f.stop(all)
		for s := range 10 {
			from := time.Duration(s+5) * time.Second
			wantBetween(t, fmt.Sprintf("second %d after it", s), f.count(from, from+time.Second), 0, 2040)
		}
		wantBetween(t, "pushes in the last seconds", f.count(8*time.Second, 15*time.Second), 7*1960, 7*2040)
	})
}

// Whatever a project's hashes hold, the state is within bounds and can be written as JSON.
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
		gate := Gate{Until: toTime(parseWhole(value.Draw(t, "gate")))}
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

// A full Redis that must not evict keeps the pace and, above all, closes gates.
func TestFullRedis(t *testing.T) {
	full := backends.OpenRedis(t)
	full.Fill(t)
	b := &bench{t: t, rdb: full.Redis, sharedState: newSharedState(server{full.Redis}, project())}
	wantEqual(t, "leased", b.take(b.request(1, pace(1000, 0))).n, 1)
	_, err := b.halt(t.Context(), "why", "me")
	must(t, err)
	_, _, err = b.resume(t.Context(), "why", "me")
	must(t, err)
	_, err = b.set(t.Context(), 1, pace(10, 0), true, "me")
	must(t, err)
	_, _, err = b.closeGate(t.Context(), time.Minute, time.Hour, "429", ByFCM)
	must(t, err)
	wantEqual(t, "status", b.take(b.request(1, pace(1000, 0))).status, statusGate)
}
