package operator

import (
	"fmt"
	"testing"
	"time"

	"fanfare/internal/campaign"
)

// withTwoDevices pushes so many recipients of a zone, each with two devices and one installation ID
// that belongs to the first of them.
func (f fixture) withTwoDevices(id, zone string, n int) {
	f.Helper()
	pipe := f.rdb.Pipeline()
	for i := range n {
		pipe.RPush(f.Context(), "campaign:"+id, fmt.Sprintf(
			`{"userId":"u%d","timeZone":%q,"devices":[{"token":"f%d:a"},{"fid":"f%d"},{"token":"g%d:b"},{"token":"not a token"}]}`, i, zone, i, i, i))
	}
	_, err := pipe.Exec(f.Context())
	ok(f.T, err)
}

// The quota counts pushes, so a wave of people with two devices takes twice as long. The figures
// are people all the same.
func TestWavesCountThePushesOfAllDevices(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	f.withTwoDevices("42", "Asia/Saigon", 150)
	plan := f.plan("42", perMinute{now, 10}) // 200 pushes in 20 minutes
	equal(t, "pushes each", plan.PushesEach, 2)
	equal(t, "people", plan.Waves[0].N, 150)
	equal(t, "left", plan.Unfit, 50)
	var sent int64
	for _, h := range plan.Hours {
		sent += h.N
	}
	equal(t, "people by the hour", sent, 100)
	if plan.PerMinute < 15 || plan.PerMinute > 16 {
		t.Errorf("a quota of %d would fit, want 15", plan.PerMinute)
	}
	err := f.Start(t.Context(), "42", StartOptions{Pace: of(perMinute{now, 10})})
	mentions(t, err, "too late for 50 of 150", "a recipient gets about 2 pushes, one for each device, and the quota counts pushes")

	ok(t, f.Change(t.Context(), "42", campaign.Change{Devices: new(campaign.LatestDevice)}))
	plan = f.plan("42", perMinute{now, 10})
	equal(t, "pushes each, to the latest", plan.PushesEach, 1)
	equal(t, "left, to the latest", plan.Unfit, 0)
	equal(t, "said", plan.DescribePushes(), "")
}

// The devices of users without an address are those that are stored. A user without any counts as
// one push, because the application may store one until then.
func TestWavesCountThePushesOfStoredDevices(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "43", Message: []byte(plainMessage)})) // without times
	for _, id := range []string{"42", "43"} {
		for _, user := range []string{"a", "b", "c", "d"} {
			ok(t, f.rdb.RPush(t.Context(), "campaign:"+id, fmt.Sprintf(`{"userId":%q}`, user)).Err())
		}
	}
	for _, user := range []string{"a", "b"} {
		ok(t, f.rdb.HSet(t.Context(), "user:"+user+":devices", user+"1", `{"kind":"token"}`, user+"2", `{"kind":"token"}`, user+"3", `{"kind":"token"}`).Err())
	}
	plan := f.plan("42", perMinute{now, 10})
	equal(t, "pushes each", plan.PushesEach, 2) // 3, 3, 1 and 1
	equal(t, "people", plan.Waves[0].N, 4)
	view, err := f.Show(t.Context(), "43")
	ok(t, err)
	each, err := f.PushesEach(t.Context(), view.Spec)
	ok(t, err)
	equal(t, "pushes each without times", each, 2)
}

// Pushes of others are reserved, and not their recipients.
func TestWavesBesideThePushesOfOthers(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	for _, id := range []string{"42", "43"} {
		spec := campaign.Spec{ID: id, Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}
		if id == "43" {
			spec.StartAt, spec.Priority = now.Add(time.Hour), 5
		}
		ok(t, f.Create(t.Context(), spec))
	}
	f.inZones("42", map[string]int{"Asia/Saigon": 100})
	f.withTwoDevices("43", "Asia/Saigon", 60)
	equal(t, "left beside 120 pushes", f.plan("42", perMinute{now, 10}).Unfit, 20)
}
