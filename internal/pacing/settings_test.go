package pacing

import (
	"testing"
	"time"
)

// Another rate applies to all replicas within 2 seconds, with or without the signal.
func TestRateChanges(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		inBubble(t, steady(1000), func(f *fleet) {
			f.mem.deaf = deaf
			all := f.replicas(4, 60)
			f.pass(2 * time.Second)
			operator := f.governor()
			for _, perMinute := range []int{1, 600_000, 60, 600_000, 1, 60_000, 30_000, 120_000} {
				s := f.o.Settings
				s.Quota = perMinute
				must(t, operator.Set(f.t.Context(), s))
				set := f.now()
				f.pass(12 * time.Second)
				want := float64(perMinute) / 6 // in 10 s
				got := float64(f.count(set+2*time.Second, set+12*time.Second))
				wantBetween(t, "sent in 10 s", got, want*0.97-1, want*1.02+1)
				wantBetween(t, "sent meanwhile", f.count(set, set+2*time.Second), 0, int(want/5*1.05)+4*2*210)
			}
			must(t, operator.Reset(f.t.Context()))
			f.pass(2 * time.Second)
			wantBetween(t, "sent once it is forgotten", f.count(f.now()-time.Second, f.now()), 970, 1030)
			f.stop(all)
		})
	}
}

// Frequent changes of the rate do not get around it.
func TestSettingDoesNotFeed(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		all := f.replicas(2, 20)
		operator, s := f.governor(), f.o.Settings
		s.Quota = 6
		must(t, operator.Set(f.t.Context(), s))
		f.pass(time.Second)
		before := f.now()
		for i := range 120 {
			s.Quota = 6 + i%2
			must(t, operator.Set(f.t.Context(), s))
			f.pass(time.Second)
		}
		wantBetween(t, "sent in 120 s at 6 or 7 a minute", f.count(before, f.now()), 10, 15)
		f.stop(all)
	})
}

func TestSettingsAreRead(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		got, err := g.Settings(f.t.Context())
		must(t, err)
		wantEqual(t, "own", got, f.o.Settings)
		want := Settings{Quota: 12_345, Headroom: 0.125, Ramp: 90 * time.Second, AvoidQuarterHours: true}
		must(t, g.Set(f.t.Context(), want))
		state, err := f.governor().State(f.t.Context())
		must(t, err)
		wantEqual(t, "set", state.Settings, want)
		wantEqual(t, "overridden", state.Overridden, true)
		must(t, g.Reset(f.t.Context()))
		got, err = g.Settings(f.t.Context())
		must(t, err)
		wantEqual(t, "forgotten", got, f.o.Settings)
		state, err = g.State(f.t.Context())
		must(t, err)
		wantEqual(t, "overridden after the reset", state.Overridden, false)
	})
}

// Headroom stays free for the application's own pushes.
func TestHeadroom(t *testing.T) {
	o := steady(1000)
	o.Headroom = 0.2
	inBubble(t, o, func(f *fleet) {
		all := f.replicas(2, 20)
		f.pass(3 * time.Second)
		wantBetween(t, "sent a second", f.count(time.Second, 2*time.Second), 780, 820)
		f.stop(all)
	})
}

func TestSettingsRefused(t *testing.T) {
	for what, spoil := range map[string]func(*Settings){
		"no quota":          func(s *Settings) { s.Quota = 0 },
		"absurd quota":      func(s *Settings) { s.Quota = MaxQuota + 1 },
		"all is headroom":   func(s *Settings) { s.Headroom = 1 },
		"negative headroom": func(s *Settings) { s.Headroom = -0.1 },
		"absurd ramp":       func(s *Settings) { s.Ramp = MaxRamp + 1 },
		"negative ramp":     func(s *Settings) { s.Ramp = -time.Second },
	} {
		s := DefaultSettings()
		spoil(&s)
		if s.Validate() == nil {
			t.Errorf("%s: no error", what)
		}
		o := DefaultOptions()
		o.Settings = s
		if _, err := newGovernor(newMemory(), project(), o); err == nil {
			t.Errorf("%s: a governor was made", what)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for what, spoil := range map[string]func(*Options){
		"short idle": func(o *Options) { o.Idle = time.Second - 1 },
		"short gate": func(o *Options) { o.MaxGate = time.Second - 1 },
	} {
		o := DefaultOptions()
		spoil(&o)
		if _, err := newGovernor(newMemory(), project(), o); err == nil {
			t.Errorf("%s: a governor was made", what)
		}
	}
}
