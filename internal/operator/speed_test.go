package operator

import (
	"testing"
	"time"
)

// The rate is that of the last seconds, and the forecast a band around it.
func TestSpeed(t *testing.T) {
	var s Speed
	if _, _, ok := s.Band(100); ok {
		t.Error("a forecast is made of nothing")
	}
	var ended int64
	now := time.Unix(1_700_000_000, 0)
	for i := range 120 {
		s = s.Observe(now.Add(time.Duration(i)*time.Second), ended)
		ended += 100
	}
	if got := s.Now(); got < 99 || got > 101 {
		t.Errorf("rate %.1f, want 100", got)
	}
	short, long, ok := s.Band(6000)
	if !ok || short < 55*time.Second || long > 65*time.Second || short > long {
		t.Errorf("band %v to %v, want about a minute", short, long)
	}
	for i := range 1000 {
		s = s.Observe(now.Add(2*time.Minute+time.Duration(i)*time.Second), ended)
	}
	if got := s.Now(); got != 0 || len(s.points) > 70 {
		t.Errorf("rate %.1f of %d points, want 0 of at most 70", got, len(s.points))
	}
}
