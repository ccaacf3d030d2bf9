package operator

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/schedule"
)

// A start after the expiry of the application's list reaches no one. It is refused, or explained if
// the list came later.
func TestStartAfterTheExpiryOfTheList(t *testing.T) {
	f := open(t)
	now := time.Now()
	start, soon := now.Add(2*time.Hour), now.Add(30*time.Minute)
	f.inZones("42", map[string]int{"UTC": 3})
	ok(t, f.rdb.Expire(t.Context(), "campaign:42", time.Hour).Err())
	err := f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), StartAt: start})
	if refused, is := errors.AsType[*campaign.SpecError](err); !is || refused.Field != "start_at" || !strings.Contains(refused.Problem, "the expiry of its list") {
		t.Errorf("create: %v", err)
	}
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), StartAt: soon}))
	mentions(t, f.Change(t.Context(), "42", campaign.Change{StartAt: &start}), "field start_at", "give the list a longer EXPIRE first")

	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "start_at", start.UnixMilli()).Err())
	view, err := f.Show(t.Context(), "42")
	ok(t, err)
	f.Explain(t.Context(), &view, nil)
	if r := view.Reasons; len(r) != 1 || r[0].Headline != "Its scheduled start comes too late" || r[0].EndsByItself || !view.NeedsPerson() {
		t.Errorf("its reasons are %+v", r)
	}
	ok(t, f.rdb.Expire(t.Context(), "campaign:42", 3*time.Hour).Err())
	ok(t, f.Change(t.Context(), "42", campaign.Change{StartAt: &start}))
}

func TestScheduleGetsADeadline(t *testing.T) {
	f := open(t)
	start := time.Now().Add(48 * time.Hour).Truncate(time.Minute)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), StartAt: start}))
	view, err := f.Show(t.Context(), "42")
	ok(t, err)
	equal(t, "state", view.State(), campaign.Scheduled)
	equal(t, "deadline", view.Spec.Deadline.UnixMilli(), start.Add(scheduleSpan).UnixMilli())

	f.create("43")
	windows, err := schedule.ParseWindows("09:00-10:00")
	ok(t, err)
	ok(t, f.Change(t.Context(), "43", campaign.Change{Windows: &windows}))
	view, err = f.Show(t.Context(), "43")
	ok(t, err)
	if view.Spec.Deadline.IsZero() {
		t.Error("windows without a deadline")
	}
	past := time.Now().Add(-time.Hour)
	err = f.Change(t.Context(), "43", campaign.Change{StartAt: &past})
	if bad, is := errors.AsType[*campaign.SpecError](err); !is || bad.Field != "start_at" {
		t.Errorf("a start in the past is refused with %v", err)
	}
}

// A deadline that follows from the schedule moves with it and goes with the last rule. One that a
// person gave stays.
func TestDerivedDeadlineFollowsTheSchedule(t *testing.T) {
	f := open(t)
	windows, err := schedule.ParseWindows("09:00-10:00")
	ok(t, err)
	show := func() View {
		t.Helper()
		view, err := f.Show(t.Context(), "42")
		ok(t, err)
		return view
	}
	f.create("42")
	ok(t, f.Change(t.Context(), "42", campaign.Change{Windows: &windows}))
	equal(t, "is derived", show().IsDeadlineDerived(), true)
	start := time.Now().Add(30 * 24 * time.Hour).Truncate(time.Minute) // after the first one
	ok(t, f.Change(t.Context(), "42", campaign.Change{StartAt: &start}))
	equal(t, "after a later start", show().Spec.Deadline.UnixMilli(), start.Add(scheduleSpan).UnixMilli())
	ok(t, f.Change(t.Context(), "42", campaign.Change{Windows: new(schedule.Windows)}))
	equal(t, "of the start alone", show().Spec.Deadline.UnixMilli(), start.Add(scheduleSpan).UnixMilli())
	ok(t, f.Change(t.Context(), "42", campaign.Change{StartAt: new(time.Time)}))
	if s := show().Spec; !s.Deadline.IsZero() || !s.DerivedDeadline.IsZero() {
		t.Errorf("without times, the deadline is %s, derived %s", s.Deadline, s.DerivedDeadline)
	}

	own := start.Add(time.Hour)
	ok(t, f.Change(t.Context(), "42", campaign.Change{Windows: &windows}))
	ok(t, f.Change(t.Context(), "42", campaign.Change{Deadline: &own}))
	ok(t, f.Change(t.Context(), "42", campaign.Change{Windows: new(schedule.Windows)}))
	equal(t, "a person's", show().Spec.Deadline.UnixMilli(), own.UnixMilli())
	equal(t, "is derived", show().IsDeadlineDerived(), false)
	late := own.Add(time.Hour)
	mentions(t, f.Change(t.Context(), "42", campaign.Change{StartAt: &late}), "start_at", "not before the deadline")
}

// Other windows reach those who wait in the due set, and the histogram shows them.
func TestChangeOfWindowsReachesTheDueSet(t *testing.T) {
	f := open(t)
	windows, err := schedule.ParseWindows("09:00-10:00")
	ok(t, err)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Windows: windows}))
	ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Running, ""))
	due := time.Now().Add(5 * time.Hour)
	for i := range 3 {
		ok(t, f.rdb.ZAdd(t.Context(), "{campaign:42}:retry", redis.Z{Score: float64(due.UnixMilli()), Member: fmt.Sprintf("id%d 1 0 0 {}", i)}).Err())
	}
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:counts", "claimed", 3, "seen", 3, "later:window", 3).Err())
	view, err := f.Show(t.Context(), "42")
	ok(t, err)
	if len(view.Due) != 1 || view.Due[0].N != 3 || due.Before(view.Due[0].From) || !due.Before(view.Due[0].Until) {
		t.Errorf("due %+v, want 3 at %s", view.Due, due)
	}
	reasons := Why(view, Surroundings{Now: time.Now()})
	found := false
	for _, r := range reasons {
		if r.Kind == ReasonWindows {
			found = true
			equal(t, "people", r.People, 3)
			equal(t, "until", r.Until.UnixMilli(), due.UnixMilli())
		}
	}
	if !found {
		t.Errorf("reasons %+v do not name the windows", reasons)
	}
	other, err := schedule.ParseWindows("00:00-23:59")
	ok(t, err)
	ok(t, f.Change(t.Context(), "42", campaign.Change{Windows: &other}))
	for _, z := range f.rdb.ZRangeWithScores(t.Context(), "{campaign:42}:retry", 0, -1).Val() {
		if late := time.Until(time.UnixMilli(int64(z.Score))); late > ruleDelay {
			t.Errorf("%v is due in %s", z.Member, late)
		}
	}
}

func TestWhyOfASchedule(t *testing.T) {
	t.Parallel()
	now := time.Now()
	view := View{Spec: campaign.Spec{ID: "42", State: campaign.Draft, Message: []byte(plainMessage), StartAt: now.Add(time.Hour)}}
	reasons := Why(view, Surroundings{Now: now})
	if len(reasons) != 1 || reasons[0].Kind != ReasonScheduled || reasons[0].Detail != "it starts by itself in 1h" || !reasons[0].EndsByItself {
		t.Errorf("before the start: %+v", reasons)
	}
	view.Spec.StartAt = now.Add(-time.Minute)
	view.Books.Missing = 2
	if !view.NeedsPerson() {
		t.Error("a start that waits for its audience needs no one")
	}
	found := false
	for _, r := range Why(view, Surroundings{Now: now}) {
		found = found || r.Kind == ReasonScheduled && r.Detail == "the audience is incomplete" && !r.EndsByItself
	}
	if !found {
		t.Error("nothing says that the start waits for the audience")
	}
}

// A load that is held back by recipients who wait for their windows keeps others from theirs, so it
// names what helps. Otherwise there is nothing to do.
func TestWhyOfAHeldLoad(t *testing.T) {
	t.Parallel()
	now := time.Now()
	view := View{
		Spec:  campaign.Spec{ID: "42", State: campaign.Running, Message: []byte(plainMessage)},
		Books: campaign.Books{Loaded: 1000, Retrying: 900, Waiting: 100, NextRetry: now.Add(time.Hour), Load: &campaign.RunningLoad{Owner: "ops", HeldSince: now, Limit: 1000}},
	}
	held := func() Reason {
		for _, r := range Why(view, Surroundings{Now: now}) {
			if r.Kind == ReasonLoadHeld {
				return r
			}
		}
		return Reason{}
	}
	mentions(t, errors.New(held().Next), "nothing to do: the load continues")
	view.Books.WindowWaits = 900
	mentions(t, errors.New(held().Detail+held().Next), "900 of those in Redis wait for their windows", "a larger --hold than 1000", "by time zone")
}
