package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/schedule"
)

var planned = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func always(from, until time.Time) time.Duration { return until.Sub(from) }

func wave(from, until time.Duration, n int64) schedule.Wave {
	w := schedule.Wave{Turn: schedule.Turn{Opens: planned.Add(from)}, N: n, Zones: []string{"UTC"}}
	if until > 0 {
		w.Closes = planned.Add(until)
	}
	return w
}

func TestPlan(t *testing.T) {
	t.Parallel()
	const hour, minute = time.Hour, time.Minute
	quarter := func(from, until time.Time) time.Duration { // only every other minute is open
		if from.Minute()%2 == 1 {
			return 0
		}
		return until.Sub(from)
	}
	type senders []schedule.Sender
	for name, c := range map[string]struct {
		own    []schedule.Wave
		rate   float64 // of the campaign
		others senders
		quota  schedule.Quota
		unsent []int64
		ends   []time.Duration // after the beginning; 0 for a wave that does not fit
	}{
		"it fits exactly":            {own: []schedule.Wave{wave(hour, hour+10*minute, 6000)}, unsent: []int64{0}, ends: []time.Duration{hour + 10*minute}},
		"it does not":                {own: []schedule.Wave{wave(hour, hour+10*minute, 6100)}, unsent: []int64{100}, ends: []time.Duration{0}},
		"it is open already":         {own: []schedule.Wave{wave(-hour, 10*minute, 3000)}, unsent: []int64{0}, ends: []time.Duration{5 * minute}},
		"it never closes":            {own: []schedule.Wave{wave(0, 0, 60000)}, unsent: []int64{0}, ends: []time.Duration{100 * minute}},
		"two waves at one time":      {own: []schedule.Wave{wave(0, 10*minute, 3000), wave(0, 10*minute, 4000)}, unsent: []int64{0, 1000}, ends: []time.Duration{5 * minute, 0}},
		"its own rate":               {own: []schedule.Wave{wave(0, 10*minute, 3000)}, rate: 4, unsent: []int64{600}, ends: []time.Duration{0}},
		"a part of a minute":         {own: []schedule.Wave{wave(0, 30*time.Second, 400)}, unsent: []int64{100}, ends: []time.Duration{0}},
		"one closes within a minute": {own: []schedule.Wave{wave(0, 30*time.Second, 400), wave(0, 10*minute, 300)}, unsent: []int64{100, 0}, ends: []time.Duration{0, minute}},
		"a higher priority goes first": {
			own: []schedule.Wave{wave(0, 10*minute, 3000)}, unsent: []int64{1000}, ends: []time.Duration{0},
			others: senders{{Priority: 1, Weight: 1, Waves: []schedule.Wave{wave(0, 0, 4000)}}},
		},
		"a lower priority does not": {
			own: []schedule.Wave{wave(0, 10*minute, 6000)}, unsent: []int64{0}, ends: []time.Duration{10 * minute},
			others: senders{{Priority: -1, Weight: 1, Waves: []schedule.Wave{wave(0, 0, 4000)}}},
		},
		"an equal shares by weight": {
			own: []schedule.Wave{wave(0, 10*minute, 3000)}, unsent: []int64{1500}, ends: []time.Duration{0},
			others: senders{{Weight: 3, Waves: []schedule.Wave{wave(0, 0, 90000)}}},
		},
		"an equal that is slow leaves the rest": {
			own: []schedule.Wave{wave(0, 10*minute, 5400)}, unsent: []int64{0}, ends: []time.Duration{10*minute - 6*time.Second}, // within its last minute, only its own pushes count
			others: senders{{Weight: 3, Rate: 1, Waves: []schedule.Wave{wave(0, 0, 90000)}}},
		},
		"a reservation later": {
			own: []schedule.Wave{wave(0, 10*minute, 6000)}, unsent: []int64{1000}, ends: []time.Duration{0},
			others: senders{{Priority: 1, Weight: 1, Waves: []schedule.Wave{wave(5*minute, 0, 1000)}}},
		},
		"avoided minutes":             {own: []schedule.Wave{wave(0, 10*minute, 3100)}, quota: schedule.Quota{Open: quarter}, unsent: []int64{100}, ends: []time.Duration{0}},
		"the ramp":                    {own: []schedule.Wave{wave(0, 2*minute, 1000)}, quota: schedule.Quota{Ramp: minute}, unsent: []int64{100}, ends: []time.Duration{0}},
		"a long ramp":                 {own: []schedule.Wave{wave(0, 10*minute, 3100)}, quota: schedule.Quota{Ramp: 10 * minute}, unsent: []int64{100}, ends: []time.Duration{0}},
		"the ramp of the next minute": {own: []schedule.Wave{wave(minute, 3*minute, 1000)}, quota: schedule.Quota{Ramp: minute}, unsent: []int64{100}, ends: []time.Duration{0}},
		"the ramp after a pause":      {own: []schedule.Wave{wave(0, 2*minute, 900), wave(3*minute, 5*minute, 1000)}, quota: schedule.Quota{Ramp: minute}, unsent: []int64{0, 100}, ends: []time.Duration{2 * minute, 0}},
	} {
		quota := c.quota
		quota.Rate = 10
		if quota.Open == nil {
			quota.Open = always
		}
		for i, p := range schedule.Plan(planned, quota, schedule.Sender{Waves: c.own, Weight: 1, Rate: c.rate}, c.others) {
			if p.Unsent != c.unsent[i] {
				t.Errorf("%s: %d of wave %d are left, want %d", name, p.Unsent, i, c.unsent[i])
			}
			want := planned.Add(c.ends[i])
			if c.ends[i] == 0 {
				want = time.Time{}
			}
			if off := p.Ends.Sub(want); off > time.Second || off < -time.Second {
				t.Errorf("%s: wave %d ends at %s, want %s", name, i, p.Ends, want)
			}
		}
	}
}

func TestFindNeeded(t *testing.T) {
	t.Parallel()
	quota := schedule.Quota{Rate: 10, Open: always}
	own := schedule.Sender{Weight: 1, Waves: []schedule.Wave{wave(time.Hour, time.Hour+20*time.Minute, 24000)}} // needs 40 minutes, or 20 a second
	needed := schedule.FindNeeded(planned, quota, own, nil)
	if needed.Wider < 20*time.Minute || needed.Wider > 21*time.Minute {
		t.Errorf("wider by %s, want 20 minutes", needed.Wider)
	}
	if needed.Rate < 20 || needed.Rate > 20.5 {
		t.Errorf("a rate of %f, want 20", needed.Rate)
	}
	own.Rate = 0.1 // its own cap: no quota helps, and no day is long enough
	if needed := schedule.FindNeeded(planned, quota, own, nil); needed.Wider != 0 || needed.Rate != 0 {
		t.Errorf("found %+v, but nothing helps", needed)
	}
}

// No plan sends more than the quota, or outside a turn, or more than there is.
func TestLawsOfPlans(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (s schedule.Sender) {
			s.Priority, s.Weight = rapid.IntRange(0, 2).Draw(t, name+" priority"), rapid.IntRange(1, 5).Draw(t, name+" weight")
			for range rapid.IntRange(1, 4).Draw(t, name+" waves") {
				from := time.Duration(rapid.IntRange(-30, 300).Draw(t, "from")) * time.Minute
				s.Waves = append(s.Waves, wave(from, from+time.Duration(rapid.IntRange(31, 200).Draw(t, "length"))*time.Minute, rapid.Int64Range(1, 9000).Draw(t, "n")))
			}
			return s
		}
		own := draw("own")
		quota := schedule.Quota{Rate: float64(rapid.IntRange(1, 20).Draw(t, "rate")), Open: always}
		alone, beside := schedule.Plan(planned, quota, own, nil), schedule.Plan(planned, quota, own, []schedule.Sender{draw("other")})
		if schedule.Unsent(alone) > schedule.Unsent(beside) {
			t.Fatalf("%d are left alone, and %d beside another", schedule.Unsent(alone), schedule.Unsent(beside))
		}
		for _, p := range beside {
			sent := p.N - p.Unsent
			length := p.Closes.Sub(p.Start(planned)).Seconds()
			if p.Unsent < 0 || sent < 0 || float64(sent) > quota.Rate*length+1 {
				t.Fatalf("%d of %d are sent in %.0f s at %.0f a second", sent, p.N, length, quota.Rate)
			}
			if !p.Ends.IsZero() && (p.Ends.Before(p.Start(planned)) || p.Ends.After(p.Closes)) {
				t.Fatalf("ends at %s, outside %v", p.Ends, p.Turn)
			}
		}
	})
}

// daily returns waves of an hour a day that open at some hours from now, until the deadline.
func daily(n int64, deadline time.Duration, opens ...time.Duration) schedule.Sender {
	s := schedule.Sender{Weight: 1, Deadline: planned.Add(deadline)}
	for _, from := range opens {
		w := wave(from, from+time.Hour, n)
		w.Next = func(closes time.Time) (schedule.Turn, bool) {
			from := closes.Add(23 * time.Hour)
			return schedule.Turn{Opens: from, Closes: from.Add(time.Hour)}, from.Before(s.Deadline)
		}
		s.Waves = append(s.Waves, w)
	}
	return s
}

// Who is left when a turn closes goes in the next one, and only who is left after the last one does
// not fit. What makes them fit is reckoned over all turns.
func TestPlanOfSeveralTurns(t *testing.T) {
	t.Parallel()
	quota := schedule.Quota{Rate: 1, Open: always} // 3,600 in a turn
	own := daily(10_000, 60*time.Hour, time.Hour)
	got := schedule.Plan(planned, quota, own, nil)
	want := []struct{ n, carried, unsent int64 }{{10_000, 6_400, 0}, {6_400, 2_800, 0}, {2_800, 0, 0}}
	if len(got) != len(want) {
		t.Fatalf("%d turns, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if p := got[i]; p.N != w.n || p.Carried != w.carried || p.Unsent != w.unsent || p.Again != (i > 0) || !p.Opens.Equal(planned.Add(time.Duration(24*i+1)*time.Hour)) {
			t.Errorf("turn %d is %+v, want %+v", i, p, w)
		}
	}
	if ends := planned.Add(49*time.Hour + 2800*time.Second); !got[2].Ends.Equal(ends) {
		t.Errorf("the last push goes at %s, want %s", got[2].Ends, ends)
	}

	short := daily(10_000, 36*time.Hour, time.Hour) // two turns
	if left := schedule.Unsent(schedule.Plan(planned, quota, short, nil)); left != 2_800 {
		t.Errorf("%d are left after two turns, want 2,800", left)
	}
	needed := schedule.FindNeeded(planned, quota, short, nil)
	if needed.Wider < 23*time.Minute || needed.Wider > 24*time.Minute || needed.Rate < 1.38 || needed.Rate > 1.42 {
		t.Errorf("needed is %+v, want 23m20s and 1.39", needed)
	}
	// Both turns are open until the deadline then, and that is too short.
	if needed = schedule.FindNeeded(planned, quota, daily(200_000, 36*time.Hour, time.Hour), nil); needed.Wider != 0 {
		t.Errorf("turns that are %s longer would not end before the deadline", needed.Wider)
	}

	for n, wider := range map[int64]time.Duration{7_000: 57 * time.Minute, 9_000: 0} { // 7,200 are left until the deadline
		if got := schedule.FindNeeded(planned, quota, daily(n, 3*time.Hour, time.Hour), nil).Wider; got != wider {
			t.Errorf("%d before a deadline need a turn that is %s longer, want %s", n, got, wider)
		}
	}

	others := []schedule.Sender{daily(5_000, 60*time.Hour, time.Hour)}
	others[0].Priority = 1
	got = schedule.Plan(planned, quota, daily(3_000, 60*time.Hour, time.Hour), others)
	if len(got) != 3 || got[1].Carried != 800 || got[2].Unsent != 0 {
		t.Errorf("beside one that goes first in two turns: %+v", got)
	}
}
