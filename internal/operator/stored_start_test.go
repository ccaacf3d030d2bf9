package operator

import (
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/schedule"
)

// scheduledAt creates a draft that starts at a moment.
func (f fixture) scheduledAt(id string, start time.Time) {
	f.Helper()
	ok(f.T, f.Create(f.Context(), campaign.Spec{ID: id, Message: []byte(plainMessage), StartAt: start}))
}

// "tue 18:00" is the first one after the start that is stored, or that is given with it.
func TestLocalTimesAreSeenFromTheStoredStart(t *testing.T) {
	f := open(t)
	start := time.Now().AddDate(0, 0, 30).UTC().Truncate(24 * time.Hour).Add(10 * time.Hour)
	weekday := start.Weekday().String()
	f.scheduledAt("42", start)
	f.create("43")
	read := func(id string, startAt *time.Time) schedule.LocalTime {
		t.Helper()
		local, err := f.ReadLocalTime(t.Context(), id, weekday+" 18:00±10m", startAt)
		ok(t, err)
		return local
	}
	// On that day 18:00 is over where the day begins first, so it is the one of the next week.
	want := start.AddDate(0, 0, 7).Format("2006-01-02") + "T18:00±10m"
	equal(t, "stored start", read("42", nil).String(), want)
	equal(t, "given start", read("43", &start).String(), want)
	soon := time.Now()
	if local := read("42", &soon); !local.Wall.Before(start) {
		t.Errorf("seen from the given start it is %s, want one before the stored start", local)
	}
	if local := read("43", nil); !local.Wall.Before(start) {
		t.Errorf("without a start it is %s, want one within a week or so", local)
	}
	_, err := f.ReadLocalTime(t.Context(), "42", "soon", nil)
	mentions(t, err, "local_time", "want a local date and time")
}

// One time is changed while the start is stored: the change is refused if no one could be sent to
// between the two.
func TestChangesAreSeenFromTheStoredStart(t *testing.T) {
	f := open(t)
	start := time.Now().AddDate(0, 0, 30)
	f.scheduledAt("42", start)
	early := start.Add(-24 * time.Hour)
	mentions(t, f.Change(t.Context(), "42", campaign.Change{Deadline: &early}), "start_at", "not before the deadline")
	passed := localTime(t, start.AddDate(0, 0, -3).Format("2006-01-02")+"T18:00±10m")
	mentions(t, f.Change(t.Context(), "42", campaign.Change{LocalTime: &passed}), "local_time", "has passed in every time zone at the start")

	soonAfter := start.Add(time.Hour)
	ok(t, f.Change(t.Context(), "42", campaign.Change{Deadline: &soonAfter}))
	closed, err := schedule.ParseWindows(start.AddDate(0, 0, 4).Weekday().String() + " 10:00-11:00") // it opens today or soon, and not in that hour
	ok(t, err)
	mentions(t, f.Change(t.Context(), "42", campaign.Change{Windows: &closed}), "windows", "open in no time zone between the start and the deadline")

	// A draft whose start has passed may start at any moment.
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "start_at", time.Now().Add(-time.Minute).UnixMilli()).Err())
	ok(t, f.Change(t.Context(), "42", campaign.Change{Windows: &closed}))
}

// A kind that no longer exempts from quiet hours is checked with them.
func TestChangeOfTheKindIsCheckedWithQuietHours(t *testing.T) {
	f := open(t)
	quiet, err := campaign.ParseQuietHours("21:00-09:00")
	ok(t, err)
	windows, err := schedule.ParseWindows("22:00-23:00")
	ok(t, err)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Kind: campaign.Transactional, QuietHours: quiet, Windows: windows}))
	kind := campaign.Marketing
	mentions(t, f.Change(t.Context(), "42", campaign.Change{Kind: &kind}), "quiet_hours", "leave no time")
}

// A running campaign whose local time has opened everywhere continues, so its deadline may change.
func TestDeadlineAfterAPassedLocalTime(t *testing.T) {
	f := open(t)
	f.create("42")
	passed := time.Now().AddDate(0, 0, -2).UTC().Format("2006-01-02") + "T18:00"
	later := time.Now().Add(time.Hour)
	for state, local := range map[string]string{"running": passed, "draft": passed + "±10m"} {
		ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "state", state, "local_time", local).Err())
		err := f.Change(t.Context(), "42", campaign.Change{Deadline: &later})
		if state == "running" {
			ok(t, err)
		} else {
			mentions(t, err, "local_time", "has passed")
		}
	}
}

// A scheduled draft that fits is not changed to one that does not. One that does not fit already
// may change, so that it can be repaired in steps.
func TestChangesOfAScheduledDraftKeepItsFit(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	start := now.Add(time.Hour)
	spec := campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±30m"), StartAt: start}
	ok(t, f.Create(t.Context(), spec))
	f.inZones("42", map[string]int{"Asia/Saigon": 300})
	narrow := localTime(t, day+"T09:00±10m")
	pace := of(perMinute{now, 10})
	for what, change := range map[string]campaign.Change{
		"a shorter span": {LocalTime: &narrow},
		"a rate":         {Rate: new(0.05)},
	} {
		err := f.CheckSchedule(t.Context(), "42", change, pace)
		if err == nil {
			t.Errorf("%s is accepted", what)
			continue
		}
		mentions(t, err, "campaign 42 is not changed", "waves do not fit")
	}
	ok(t, f.CheckSchedule(t.Context(), "42", campaign.Change{Weight: new(3)}, pace))
	ok(t, f.CheckSchedule(t.Context(), "42", campaign.Change{OnAmbiguous: new(campaign.Report)}, pace))
	ok(t, f.CheckSchedule(t.Context(), "42", campaign.Change{LocalTime: &narrow}, of(perMinute{now, 4}))) // 60 minutes are too short already
}
