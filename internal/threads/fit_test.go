package threads

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestFitting(t *testing.T) {
	const most = 8
	for _, c := range []struct {
		procs int
		used  float64
		want  int
	}{
		{procs: 8, used: 0, want: 4},
		{procs: 4, used: 0.9, want: 2},
		{procs: 4, used: 1, want: 4}, // two would be half used
		{procs: 2, used: 0.4, want: 1},
		{procs: 1, used: 0, want: 1},
		{procs: 1, used: 0.6, want: 1},
		{procs: 1, used: 0.8, want: 2},
		{procs: 2, used: 0.8, want: 2}, // what one has outgrown keeps two
		{procs: 4, used: 3.5, want: 8},
		{procs: 6, used: 5, want: most},
		{procs: most, used: most, want: most},
	} {
		if got := fitting(c.procs, most, c.used); got != c.want {
			t.Errorf("%d processors of which %.1f were used: got %d, want %d", c.procs, c.used, got, c.want)
		}
	}
}

// Whatever one interval decides, the same use does not decide the opposite in the next.
func TestFittingIsStable(t *testing.T) {
	for most := 1; most <= 64; most++ {
		for procs := 1; procs <= most; procs++ {
			for used := 0.0; used <= float64(procs); used += 0.05 {
				next := fitting(procs, most, used)
				after := fitting(next, most, used)
				if (next > procs && after < next) || (next < procs && after > next) {
					t.Fatalf("%d of %d processors and %.2f used: %d, and then %d", procs, most, used, next, after)
				}
			}
		}
	}
}

func TestFitterFollowsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
		load := 0.1 // CPUs
		start, used := time.Now(), time.Duration(0)
		f := newFitter(func() time.Duration {
			used += time.Duration(load * float64(time.Since(start)))
			start = time.Now()
			return used
		})
		for _, c := range []struct {
			load float64
			want []int // after each interval
		}{
			{load: 0.1, want: []int{2, 1, 1}},
			{load: 0.9, want: []int{2, 2}},
			{load: 3, want: []int{4, 4}},
			{load: 0.1, want: []int{2, 1}},
		} {
			load = c.load
			for i, want := range c.want {
				<-time.After(ReviewInterval)
				f.Review(t.Context())
				if got := runtime.GOMAXPROCS(0); got != want {
					t.Errorf("after %d intervals with a load of %.1f: %d processors, want %d", i+1, c.load, got, want)
				}
			}
		}
	})
}

func TestFitterLeavesTheOperatorsChoice(t *testing.T) {
	t.Setenv("GOMAXPROCS", "3")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	f := newFitter(func() time.Duration { return 0 })
	f.Review(t.Context())
	if got := runtime.GOMAXPROCS(0); got != 3 {
		t.Errorf("GOMAXPROCS is %d, want 3", got)
	}
}
