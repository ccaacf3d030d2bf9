package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the cases must not depend on the machine

	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
	"fanfare/internal/schedule"
)

// perMinute is a project at a moment whose quota is so much, with neither headroom nor ramp.
type perMinute struct {
	now   time.Time
	quota int
}

func (p perMinute) State(context.Context) (pacing.State, error) {
	return pacing.State{Now: p.now, Settings: pacing.Settings{Quota: p.quota}}, nil
}

// inZones pushes so many recipients of each zone.
func (f fixture) inZones(id string, zones map[string]int) {
	f.Helper()
	for zone, n := range zones {
		elements := make([]any, n)
		for i := range elements {
			elements[i] = fmt.Sprintf(`{"userId":"%s-%d","fcmToken":"t","timeZone":%q}`, zone, i, zone)
		}
		ok(f.T, f.rdb.RPush(f.Context(), "campaign:"+id, elements...).Err())
	}
}

func localTime(t *testing.T, text string) schedule.LocalTime {
	t.Helper()
	local, err := schedule.ParseLocal(text)
	ok(t, err)
	return local
}

func (f fixture) plan(id string, pace perMinute) *WavePlan {
	f.Helper()
	view, err := f.Show(f.Context(), id)
	ok(f.T, err)
	state, _ := pace.State(f.Context())
	plan, err := f.PlanWaves(f.Context(), view, state)
	ok(f.T, err)
	return plan
}

// The waves of an audience follow from its zones. What does not fit is named, with what would make
// it fit, and such a campaign is not started.
func TestWavesThatDoNotFit(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m"), TimeZone: "Etc/GMT+5"}))
	f.inZones("42", map[string]int{"Asia/Saigon": 300, "Asia/Kolkata": 150, "": 20, "Nowhere/Land": 30})
	ok(t, f.rdb.Set(t.Context(), "profile:-3", `{"timeZone":"Asia/Kolkata"}`, 0).Err()) // of a user without a zone
	plan := f.plan("42", perMinute{now, 10})
	equal(t, "waves", len(plan.Waves), 3)
	equal(t, "read in full", plan.Exact, true)
	equal(t, "unknown zones", plan.BadZones, 30)
	for i, want := range []struct {
		zone      string
		n, unsent int64
	}{{"Asia/Saigon", 300, 100}, {"Asia/Kolkata", 151, 0}, {"Etc/GMT+5", 49, 0}} {
		w := plan.Waves[i]
		if w.Zones[0] != want.zone || w.N != want.n || w.Unsent != want.unsent {
			t.Errorf("wave %d is %+v, want %+v", i, w, want)
		}
	}
	equal(t, "expired", plan.Expired, 100)
	equal(t, "wider", plan.WiderMinutes, 10)
	if plan.PerMinute < 15 || plan.PerMinute > 16 {
		t.Errorf("a quota of %d would fit, want 15", plan.PerMinute)
	}

	err := f.Start(t.Context(), "42", StartOptions{Pace: of(perMinute{now, 10})})
	mentions(t, err, "1 of 3 waves do not fit", "100 of 300", "Asia/Saigon", "windows that are 10m longer", "about 100 recipients would end as expired")
	equal(t, "state", f.state("42"), campaign.Draft)
	ok(t, f.Start(t.Context(), "42", StartOptions{Pace: of(perMinute{now, 10}), Late: true}))
	equal(t, "state", f.state("42"), campaign.Running)
}

// A local time that has passed for most reaches no one of them, so the start is refused, whether it
// is now or later. The others' wave fits.
func TestStartIsRefusedForRecipientsWithoutATurn(t *testing.T) {
	f := open(t)
	now := time.Now()
	passed := now.In(time.FixedZone("", 7*3600)).Add(-time.Hour).Format("2006-01-02T15:04") + "±10m"
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, passed)}))
	f.inZones("42", map[string]int{"Asia/Saigon": 300, "UTC": 10})
	plan := f.plan("42", perMinute{now, 600})
	equal(t, "left when their turn closes", plan.Unfit, 0)
	equal(t, "without a turn", plan.NoTurn, 300)
	equal(t, "fits", plan.Fits(), false)
	err := f.Start(t.Context(), "42", StartOptions{Pace: of(perMinute{now, 600})})
	mentions(t, err, "campaign 42 is not started: about 300 recipients have no window left before the deadline", "about 300 recipients would end as expired", "another local time")
	equal(t, "state", f.state("42"), campaign.Draft)
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "start_at", now.Add(-time.Minute).UnixMilli()).Err())
	refusal, err := f.RefuseStart(t.Context(), "42", perMinute{now, 600})
	ok(t, err)
	mentions(t, errors.New(refusal), "about 300 recipients have no window left")
	ok(t, f.Start(t.Context(), "42", StartOptions{Pace: of(perMinute{now, 600}), Late: true}))
}

// What does not fit into the first window goes in the next one. A start is refused only for those
// who are left at the deadline.
func TestWavesOfSeveralDays(t *testing.T) {
	f := open(t)
	now := time.Now()
	first := now.UTC().Truncate(24 * time.Hour).Add(34 * time.Hour) // tomorrow at 10:00
	windows, err := schedule.ParseWindows("10:00-11:00")
	ok(t, err)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Windows: windows, StartAt: first.Add(-time.Hour), Deadline: first.Add(26 * time.Hour)}))
	f.inZones("42", map[string]int{"UTC": 1000})
	plan := f.plan("42", perMinute{now, 10})
	equal(t, "waves", len(plan.Waves), 2)
	equal(t, "in the first", plan.Waves[0].Carried, 400)
	equal(t, "later", plan.Later, 400)
	equal(t, "expired", plan.Expired, 0)
	equal(t, "ends", plan.Ends, first.Add(24*time.Hour+40*time.Minute))
	equal(t, "hours", len(plan.Hours), 25)
	equal(t, "sent on the second day", plan.Hours[24].N, 400)
	equal(t, "not fit", plan.Hours[0].Unsent, 0)

	plan = f.plan("42", perMinute{now, 8})
	equal(t, "expired", plan.Expired, 40)
	equal(t, "unsent", plan.Waves[1].Unsent, 40)
	mentions(t, errors.New(plan.Describe()), "1 of 2 waves do not fit: too late for 40 of 520", "about 40 recipients would end as expired")
}

// Recipients who wait for their turn already are in a wave of their own, and in no other.
func TestWavesCountWhoWaitsOnce(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	f.inZones("42", map[string]int{"UTC": 100})
	for i := range 20 {
		waits := fmt.Sprintf(`r%d 0 0 0 {"userId":"r%[1]d","fcmToken":"t"}`, i)
		ok(t, f.rdb.ZAdd(t.Context(), "{campaign:42}:retry", redisZ(now.Add(time.Hour), waits)).Err())
	}
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:counts", "claimed", 20).Err())
	got := make(map[string]int64)
	for _, wave := range f.plan("42", perMinute{now, 600}).Waves {
		got[wave.Zones[0]] += wave.N
	}
	equal(t, "waves", fmt.Sprint(got), "map[UTC:120]")
}

// Users without an address in their element get theirs from a stored device, and so their zone. It
// goes before that of the element.
func TestWavesOfStoredDevices(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	for _, user := range []string{"a", "b", "c", "d"} {
		ok(t, f.rdb.HSet(t.Context(), "user:"+user+":devices", "token-of-"+user, `{"kind":"token","timeZone":"Asia/Tokyo"}`).Err())
	}
	ok(t, f.rdb.RPush(t.Context(), "campaign:42", `{"userId":"a"}`, `{"userId":"b","timeZone":"Asia/Saigon"}`,
		`{"userId":"c","fcmToken":"t","timeZone":"Asia/Saigon"}`, `{"userId":"d","fcmToken":"t"}`, `{"userId":"e"}`).Err())
	plan := f.plan("42", perMinute{now, 10})
	equal(t, "exact", plan.Exact, true)
	got := make(map[string]int64)
	for _, w := range plan.Waves {
		got[w.Zones[0]] = w.N
	}
	equal(t, "zones", fmt.Sprint(got), fmt.Sprint(map[string]int64{"Asia/Tokyo": 2, "Asia/Saigon": 1, "UTC": 2}))
}

// Of users without a zone in their element, those who are looked up come from all parts of the
// list.
func TestWavesOfASortedAudienceFollowTheProfiles(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	zones := []string{"Asia/Tokyo", "Asia/Saigon", "Europe/Athens", "America/Lima"}
	pipe := f.rdb.Pipeline()
	for n := range 4000 {
		user := fmt.Sprintf("u%d", n)
		pipe.RPush(t.Context(), "campaign:42", fmt.Sprintf(`{"userId":%q,"fcmToken":"t"}`, user))
		pipe.Set(t.Context(), "profile:"+user, fmt.Sprintf(`{"timeZone":%q}`, zones[n/1000]), 0)
	}
	_, err := pipe.Exec(t.Context())
	ok(t, err)
	plan := f.plan("42", perMinute{now, 1000})
	equal(t, "waves", len(plan.Waves), 4)
	equal(t, "exact", plan.Exact, false)
	for _, w := range plan.Waves {
		equal(t, "of "+w.Zones[0], w.N, 1000)
	}
}

// haltedPace is a pace of a project that is halted.
type haltedPace struct{ perMinute }

func (p haltedPace) State(ctx context.Context) (pacing.State, error) {
	state, err := p.perMinute.State(ctx)
	state.Halts = []pacing.Halt{{Reason: "by hand"}}
	return state, err
}

// A halt hides nothing that does not fit.
func TestUnfitWavesOfAHaltedProjectAreRefused(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	f.inZones("42", map[string]int{"Asia/Saigon": 300})
	mentions(t, f.Start(t.Context(), "42", StartOptions{Pace: of(haltedPace{perMinute{now, 10}})}), "100 of 300")
	ok(t, f.Start(t.Context(), "42", StartOptions{Pace: of(haltedPace{perMinute{now, 20}})}))
}

// A load into a scheduled draft warns if the waves cannot fit then. It warns of nothing else.
func TestLoadWarnsOfUnfitWaves(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	start := now.Add(time.Hour)
	for id, startAt := range map[string]time.Time{"scheduled": start, "draft": {}} {
		ok(t, f.Create(t.Context(), campaign.Spec{ID: id, Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m"), StartAt: startAt}))
	}
	load := func(id string, paces FindPace) string {
		t.Helper()
		summary, err := f.Load(t.Context(), id, strings.NewReader(strings.Repeat(`{"userId":"u","timeZone":"Asia/Saigon"}`+"\n", 150)), LoadOptions{Append: true, Pace: paces})
		ok(t, err)
		return summary.Warning
	}
	equal(t, "half of them", load("scheduled", of(perMinute{now, 20})), "")
	mentions(t, errors.New(load("scheduled", of(perMinute{now, 10}))), "1 of 1 waves do not fit: too late for 100 of 300", "they fit with windows that are 10m longer")
	equal(t, "unknown pace", load("scheduled", nil), "")
	equal(t, "not scheduled", load("draft", of(perMinute{now, 10})), "")
}

// A draft whose waves do not fit cannot be scheduled. One that was scheduled before is refused when
// its time comes, and says why until someone starts it.
func TestScheduledStartOfUnfitWaves(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	f.inZones("42", map[string]int{"Asia/Saigon": 300})
	start := now.Add(time.Hour)
	change := campaign.Change{StartAt: &start}
	mentions(t, f.CheckSchedule(t.Context(), "42", change, of(perMinute{now, 10})), "campaign 42 is not scheduled", "100 of 300", "windows that are 10m longer")
	ok(t, f.CheckSchedule(t.Context(), "42", change, of(perMinute{now, 20})))
	ok(t, f.CheckSchedule(t.Context(), "42", change, nil))
	ok(t, f.CheckSchedule(t.Context(), "42", campaign.Change{Weight: new(3)}, of(perMinute{now, 10})))

	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "start_at", now.Add(-time.Minute).UnixMilli()).Err())
	refusal, err := f.RefuseStart(t.Context(), "42", perMinute{now, 10})
	ok(t, err)
	mentions(t, errors.New(refusal), "1 of 1 waves do not fit", "they fit with windows that are 10m longer")
	view, err := f.Show(t.Context(), "42")
	ok(t, err)
	f.Explain(t.Context(), &view, of(perMinute{now, 10}))
	if r := view.Reasons; len(r) != 1 || r[0].Headline != "Its scheduled start is refused" || r[0].EndsByItself || !view.NeedsPerson() {
		t.Errorf("its reasons are %+v", r)
	}
	mentions(t, errors.New(view.Reasons[0].Detail+view.Reasons[0].Next), "100 of 300", "fanfare campaign start 42 --late")
	refusal, err = f.RefuseStart(t.Context(), "42", perMinute{now, 20})
	ok(t, err)
	equal(t, "refusal at twice the quota", refusal, "")
}

// What runs, and what is scheduled, takes its share of the quota first.
func TestWavesBesideOthers(t *testing.T) {
	f := open(t)
	now := time.Now()
	at := now.Add(72 * time.Hour).UTC().Truncate(time.Minute)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, at.Format("2006-01-02T15:04")+"±10m")}))
	f.inZones("42", map[string]int{"UTC": 200})
	equal(t, "alone", f.plan("42", perMinute{now, 10}).Unfit, 0)

	f.create("43", campaign.Running)
	f.inZones("43", map[string]int{"UTC": 5000})
	equal(t, "beside one that ends before", f.plan("42", perMinute{now, 10}).Unfit, 0)

	ok(t, f.Create(t.Context(), campaign.Spec{ID: "44", Message: []byte(plainMessage), Priority: 1, StartAt: at.Add(-time.Minute)}))
	f.inZones("44", map[string]int{"UTC": 100})
	equal(t, "beside a scheduled one", f.plan("42", perMinute{now, 10}).Unfit, 100) // its ten minutes lie within the wave
}
