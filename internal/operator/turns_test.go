package operator

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/schedule"
)

// Those who wait in the due set are planned by their zones, until their windows close.
func TestWavesOfTheDueSetClose(t *testing.T) {
	f := open(t)
	now := time.Now()
	opens := now.Add(3 * time.Hour).UTC().Truncate(time.Minute)
	windows, err := schedule.ParseWindows(opens.Format("15:04") + "-" + opens.Add(10*time.Minute).Format("15:04"))
	ok(t, err)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Windows: windows, Deadline: now.Add(12 * time.Hour)}))
	ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Running, ""))
	var waiting []redis.Z
	add := func(zone string, n int, due time.Time) {
		for i := range n {
			raw := fmt.Sprintf(`{"userId":"%s-%d","fcmToken":"t","timeZone":%q}`, zone, i, zone)
			waiting = append(waiting, redis.Z{Score: float64(due.UnixMilli()), Member: fmt.Sprintf("%s%d 0 0 0 %s", zone, i, raw)})
		}
	}
	add("UTC", 150, opens)
	add("-01:00", 50, opens.Add(time.Hour))
	ok(t, f.rdb.ZAdd(t.Context(), "{campaign:42}:retry", waiting...).Err())
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:counts", "claimed", 200, "seen", 200, "later:window", 200).Err())
	plan := f.plan("42", perMinute{now, 10}) // 100 in each window
	if len(plan.Waves) != 2 {
		t.Fatalf("waves %+v, want one for each zone", plan.Waves)
	}
	first, second := plan.Waves[0], plan.Waves[1]
	if first.Zones[0] != "UTC" || !first.Closes.Equal(opens.Add(10*time.Minute)) || first.N != 150 || first.Unsent != 50 {
		t.Errorf("the first wave is %+v, want 50 left when it closes", first)
	}
	if second.Zones[0] != "-01:00" || !second.Opens.Equal(opens.Add(time.Hour)) || second.N != 50 || second.Unsent != 0 {
		t.Errorf("the second wave is %+v", second)
	}
}

// The sentence about the present counts zones, and names the first moment.
func TestTurnsOfAMoment(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	wave := func(from, until time.Duration, zones ...string) PlannedWave {
		w := PlannedWave{Opens: now.Add(from), Zones: zones, N: 1}
		if until != 0 {
			w.Closes = now.Add(until)
		}
		return w
	}
	for want, waves := range map[string][]PlannedWave{
		"": {wave(-2*time.Hour, 0-time.Hour, "UTC"), wave(2*time.Hour, 3*time.Hour, "Asia/Tokyo")},
		"1 zone open now, the first closes at " + LocalTime(now.Add(time.Minute)): {wave(0, time.Minute, "UTC"), wave(time.Hour+1, 0, "Asia/Tokyo")},
		"1 zone open now": {wave(-time.Hour, 0, "UTC")},
		"1 zone opens within the hour, at " + LocalTime(now.Add(time.Hour)): {wave(time.Hour, 2*time.Hour, "UTC")},
		"2 zones open now, the first closes at " + LocalTime(now.Add(time.Hour)) +
			"; 3 zones open within the hour, the first at " + LocalTime(now.Add(10*time.Minute)): {
			wave(-time.Hour, 2*time.Hour, "UTC"), wave(-time.Hour, time.Hour, "-01:00", "UTC"),
			wave(30*time.Minute, 0, "+01:00"), wave(10*time.Minute, 0, "+02:00", "+03:00"),
		},
	} {
		if got := (&WavePlan{Waves: waves}).DescribeTurns(now); got != want {
			t.Errorf("%+v: %q, want %q", waves, got, want)
		}
	}
}
