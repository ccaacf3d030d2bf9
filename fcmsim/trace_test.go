package fcmsim

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestTraceSplitsArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{})
		start := time.Now()
		statuses(t, s, "a", "ghost-1", "dead-1", "quota-1", "overload-1", "a b")
		pass(2500 * time.Millisecond)
		statuses(t, s, "b")
		got := s.Trace().Projects["demo"]
		if len(got.Seconds.Slots) != 3 || len(got.Tenths.Slots) != 26 || !got.Seconds.From.Equal(start) || !got.Tenths.From.Equal(start) {
			t.Fatalf("%d seconds from %s, %d tenths from %s", len(got.Seconds.Slots), got.Seconds.From, len(got.Tenths.Slots), got.Tenths.From)
		}
		if first, last := got.Seconds.Slots[0], got.Seconds.Slots[2]; first != (Slot{2, 2, 2}) || last != (Slot{1, 0, 0}) {
			t.Errorf("seconds %+v", got.Seconds.Slots)
		}
		if first, last := got.Tenths.Slots[0], got.Tenths.Slots[25]; first != (Slot{2, 2, 2}) || last != (Slot{1, 0, 0}) {
			t.Errorf("tenths %+v", got.Tenths.Slots)
		}
		s.ClearLedger()
		if left := s.Trace(); len(left.Projects) != 0 {
			t.Errorf("cleared: %+v", left)
		}
	})
}

func TestUnevenness(t *testing.T) {
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	row := func(totals ...uint32) Series {
		s := Series{From: from, Step: Duration(time.Second)}
		for _, n := range totals {
			s.Slots = append(s.Slots, Slot{Accepted: n})
		}
		return s
	}
	for _, tt := range []struct {
		series Series
		want   float64
	}{
		{row(100, 100, 100), 0},
		{row(100, 103, 97), 3},
		{row(10, 10, 40), 100},
		{row(0, 100), 100},
		{row(), 0},
		{row(0, 0), 0},
		{row(7, 100, 110, 90, 3).Between(from.Add(time.Second), from.Add(4*time.Second)), 10},
		{row(7, 100, 110, 90, 3).Between(from.Add(500*time.Millisecond), from.Add(4900*time.Millisecond)), 10},
	} {
		if got := tt.series.Unevenness(); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%+v: %g%%, want %g%%", tt.series.Slots, got, tt.want)
		}
	}
	if got := row(1, 2, 3).Between(from.Add(-time.Hour), from.Add(time.Hour)); got.Total() != 6 {
		t.Errorf("all of it: %+v", got)
	}
	if got := row(1, 2, 3).Between(from.Add(time.Hour), from.Add(2*time.Hour)); got.Total() != 0 {
		t.Errorf("nothing of it: %+v", got)
	}
}

func TestTraceOverTheAdminAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{})
		statuses(t, s, "a", "b")
		w := httptest.NewRecorder()
		s.AdminHandler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/admin/trace", nil))
		var got Trace
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if seconds := got.Projects["demo"].Seconds; seconds.Total() != 2 || seconds.Step != Duration(time.Second) {
			t.Errorf("%s", w.Body)
		}
	})
}

// Every request passes through the recorder, so it must stay below 100 ns.
func BenchmarkRecord(b *testing.B) {
	var r arrivalRecorder
	v := &decision{accepted: true}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.add(time.Now(), v)
		}
	})
}
