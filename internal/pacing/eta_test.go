package pacing

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// An ETA matches what happens: one replica that always has pushes sends them by the script itself.
func TestETA(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := Settings{
			Quota:             60 * rapid.SampledFrom([]int{1, 20, 300, 1000, 4000}).Draw(rt, "rate"),
			Headroom:          rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(rt, "headroom"),
			Ramp:              rapid.SampledFrom([]time.Duration{0, 500 * time.Millisecond, 10 * time.Second, time.Minute, 5 * time.Minute}).Draw(rt, "ramp"),
			AvoidQuarterHours: rapid.Bool().Draw(rt, "avoid"),
		}
		seconds := rapid.Float64Range(0, 1500).Draw(rt, "seconds of full pace")
		pushes := 1 + int64(s.Rate()*seconds)
		begin := time.Duration(rapid.IntRange(0, 900).Draw(rt, "begin")) * time.Second
		before := int64(s.Rate() * rapid.Float64Range(0, 100).Draw(rt, "seconds before"))
		pause := time.Duration(rapid.IntRange(0, 40_000).Draw(rt, "pause")) * time.Millisecond
		gate := time.Duration(rapid.SampledFrom([]int{0, 0, 5, 600}).Draw(rt, "gate")) * time.Second
		var eta, last time.Time
		synctest.Test(t, func(t *testing.T) {
			o := DefaultOptions()
			o.Settings = s
			m := newMemory()
			g, err := newGovernor(m, project(), o)
			must(t, err)
			<-time.After(begin)
			drain(t, g, before)
			<-time.After(pause)
			if gate > 0 {
				must(t, g.CloseGate(t.Context(), gate, "429"))
			}
			state, err := g.State(t.Context())
			must(t, err)
			eta = state.ETA(pushes, 0)
			last = drain(t, g, pushes)
		})
		// Each window may end with a push less or more, because its interval reaches into the
		// avoided minutes. µs are rounded up.
		windows := 1 + last.Sub(eta).Abs()/quarter
		if s.AvoidQuarterHours {
			windows = 8
		}
		slack := windows*time.Duration(3e9/s.Rate()) + time.Duration(seconds*float64(time.Millisecond))
		if s.Ramp > 0 { // a share is a second here, and even in itself
			slack += time.Duration(s.profile().span(0, 3)) * time.Microsecond
		}
		if off := eta.Sub(last).Abs(); off > slack && !acrossAvoided(s, eta, last, slack) {
			rt.Errorf("%d pushes: ETA %s, and were done at %s", pushes, eta, last)
		}
	})
}

// acrossAvoided reports whether two instants are close when avoided minutes do not count.
func acrossAvoided(s Settings, a, b time.Time, slack time.Duration) bool {
	if b.Before(a) {
		a, b = b, a
	}
	return s.AvoidQuarterHours && b.Sub(a) <= slack+2*away+grace && findOpening(a.Add(slack)).Equal(findOpening(b.Add(-slack)))
}

// drain sends that many pushes as one replica would. It returns when the last one went.
func drain(t *testing.T, g *Governor, pushes int64) time.Time {
	last := time.Now()
	for pushes > 0 {
		got, err := g.shared.lease(t.Context(), leaseRequest{
			keys: g.quota.keys, want: int(pushes), pace: g.o.Settings, interval: g.quota.interval, idle: g.o.Idle, share: time.Second,
			maxGate: g.o.MaxGate, id: "0",
		})
		must(t, err)
		next := got.again
		if got.n > 0 {
			pushes -= int64(got.n)
			last = toTime(got.from + (got.until-got.from)*int64(got.n-1)/int64(got.n))
			next = got.from
		}
		<-time.After(micros(next - got.now))
	}
	<-time.After(time.Until(last))
	return last
}

func TestETAOfACappedCampaign(t *testing.T) {
	s := State{Now: toTime(0).Add(5 * time.Minute), Settings: Settings{Quota: 600_000, Ramp: time.Minute}, idle: DefaultIdle}
	// The ramp reaches 1,000/s after 6 s, when 3,000 pushes have gone.
	wantBetween(t, "33,000 at 1,000/s", s.ETA(33_000, 1000).Sub(s.Now), 35900*time.Millisecond, 36100*time.Millisecond)
	wantEqual(t, "a rate above the project's", s.ETA(33_000, 1e6), s.ETA(33_000, 0))
	s.Halts = []Halt{{Reason: "test"}}
	wantEqual(t, "while halted", s.ETA(1, 0), time.Time{})
}

// A window from :02 to :12:59 has room for 629,009 pushes at 1,000/s, 30,009 of them in the ramp
// that each one begins with.
func TestETAOverQuarterHours(t *testing.T) {
	s := State{
		Now: toTime(0).Add(away), idle: DefaultIdle,
		Settings: Settings{Quota: 60_000, Ramp: time.Minute, AvoidQuarterHours: true},
	}
	const room, second = 629_009, 15 * time.Minute
	for windows := range int64(12) {
		wantBetween(t, "first push of a window", s.ETA(windows*room+2, 0).Sub(s.Now), time.Duration(windows)*second, time.Duration(windows)*second+time.Second)
	}
	s.Warm = 1
	wantBetween(t, "begun at full pace", s.ETA(659_000+3*room+2, 0).Sub(s.Now), 4*second, 4*second+time.Second)
}

func TestETABehindAGate(t *testing.T) {
	s := State{Now: toTime(0), Settings: Settings{Quota: 60_000, Ramp: time.Minute}, Warm: 1, idle: DefaultIdle}
	wantBetween(t, "10,000 at 1,000/s", s.ETA(10_000, 0).Sub(s.Now), 9900*time.Millisecond, 10*time.Second)
	s.Gate.Until = s.Now.Add(5 * time.Minute)
	wantBetween(t, "30,009 in a ramp", s.ETA(30_009, 0).Sub(s.Gate.Until), 59*time.Second, 61*time.Second)
}

// An ETA years ahead is found at once and does not overflow.
func TestETAFarAhead(t *testing.T) {
	s := State{Now: toTime(0), Settings: Settings{Quota: 60, Ramp: time.Minute, AvoidQuarterHours: true}, idle: DefaultIdle}
	years := s.ETA(100_000_000, 0).Sub(s.Now).Hours() / 24 / 365
	wantBetween(t, "years", years, 100_000_000.0/(86400*365)*15/11, 100_000_000.0/(86400*365)*15/10)
	s.Settings = Settings{Quota: 1, Headroom: 0.99}
	if eta := s.ETA(1<<40, 0); eta.Before(s.Now.AddDate(200, 0, 0)) {
		t.Errorf("more pushes than a life has minutes: done at %s", eta)
	}
}

// No push goes within two minutes of a quarter hour, and all other time is used.
func TestQuarterHoursAreAvoided(t *testing.T) {
	o := steady(20)
	o.AvoidQuarterHours = true
	inBubble(t, o, func(f *fleet) { // it begins at midnight
		all := f.replicas(3, 20)
		f.pass(35 * time.Minute)
		for hour := time.Duration(0); hour < 35*time.Minute; hour += quarter {
			wantEqual(t, fmt.Sprintf("sent around %s", hour), f.count(hour-away, hour+away), 0)
		}
		wantBetween(t, "sent between", f.count(17*time.Minute, 28*time.Minute), 20*60*11*98/100, 20*60*11)
		f.stop(all)
	})
}

// The avoided minutes begin a second early, so late pushes stay out of them too. Open time lasts
// until they begin.
func TestAvoidedMinutes(t *testing.T) {
	at := func(hour, minute, second int) time.Time {
		return time.Date(2030, 1, 1, hour, minute, second, 0, time.UTC)
	}
	for name, c := range map[string]struct{ at, opens, closes time.Time }{
		"before the quarter":      {at(12, 12, 59), at(12, 17, 0), at(12, 27, 59)},
		"just before that":        {at(12, 12, 58), at(12, 12, 58), at(12, 12, 59)},
		"on the quarter":          {at(12, 15, 0), at(12, 17, 0), at(12, 27, 59)},
		"after the quarter":       {at(12, 16, 59), at(12, 17, 0), at(12, 27, 59)},
		"just after the minutes":  {at(12, 17, 0), at(12, 17, 0), at(12, 27, 59)},
		"far from either quarter": {at(12, 22, 30), at(12, 22, 30), at(12, 27, 59)},
	} {
		if opens := findOpening(c.at); !opens.Equal(c.opens) || !findClosing(opens).Equal(c.closes) {
			t.Errorf("%s: open from %s until %s, want from %s until %s", name, opens, findClosing(opens), c.opens, c.closes)
		}
	}
}

func TestQuarterHours(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2030, 1, 1, hour, minute, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		from, to time.Time
		want     []time.Time
	}{
		"between two":       {at(12, 3), at(12, 12), nil},
		"over one":          {at(12, 3), at(12, 20), []time.Time{at(12, 15)}},
		"begins after one":  {at(12, 1), at(12, 10), []time.Time{at(12, 0)}},
		"ends before one":   {at(12, 3), at(12, 14), []time.Time{at(12, 15)}},
		"begins before one": {at(12, 13), at(12, 14), []time.Time{at(12, 15)}},
		"long":              {at(12, 3), at(13, 3), []time.Time{at(12, 15), at(12, 30), at(12, 45), at(13, 0)}},
	} {
		got := QuarterHours(c.from, c.to)
		if !slices.EqualFunc(got, c.want, time.Time.Equal) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
