package traffic

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func TestTraffic(t *testing.T) {
	t.Parallel()
	backends.Run(t, backends.Suite{
		{Name: "the replicas' counts add up, each once", Test: addUp},
		{Name: "old slots and processes are removed", Test: bounded},
		{Name: "rubbish is left out", Test: rubbish},
		{Name: "wrong type", Test: wrongType},
		{Name: "the last minute of several campaigns", Test: recent},
		{Name: "the present minute of several campaigns", Test: presentMinute},
	})
}

// record is the record of a campaign that no other case uses.
func record(t *testing.T) keys.List { return keys.NewList("campaign:" + t.Name()) }

// batch is one of a process whose pushes all took 100 ms.
func batch(list keys.List, process string, number, accepted int64) Batch {
	b := Batch{List: list, Process: process, Number: number, Counts: Counts{Answers: accepted + 3, Limited: 2, Unavailable: 1}}
	for range accepted {
		b.Counts.Latency.Observe(100 * time.Millisecond)
	}
	return b
}

func add(t *testing.T, b *backends.Backend, batches ...Batch) {
	t.Helper()
	if err := errors.Join(New(b.Redis).Add(t.Context(), batches)...); err != nil {
		t.Fatal(err)
	}
}

// sums adds up all slots of a width.
func sums(t *testing.T, b *backends.Backend, list keys.List, prefix string, width time.Duration) (all Counts) {
	t.Helper()
	fields, err := b.Redis.HGetAll(t.Context(), list.Key(keys.SuffixTraffic)).Result()
	if err != nil {
		t.Fatal(err)
	}
	slots, _ := readSlots(fields, prefix, width)
	for _, c := range slots {
		all.Add(c)
	}
	return all
}

func addUp(t *testing.T, b *backends.Backend) {
	list := record(t)
	add(t, b, batch(list, "a", 1, 10), batch(list, "b", 1, 20))
	add(t, b, batch(list, "a", 2, 30))
	add(t, b, batch(list, "a", 2, 30)) // the reply was lost
	for prefix, width := range map[string]time.Duration{"s": fine, "m": coarse} {
		got := sums(t, b, list, prefix, width)
		if got.Answers != 69 || got.Limited != 6 || got.Unavailable != 3 {
			t.Errorf("slots %s hold %+v, want 69 answers, 6 and 3 of them bad", prefix, got)
		}
		if p := got.Latency.Quantile(0.5); p < 80*time.Millisecond || p > 125*time.Millisecond {
			t.Errorf("half of all took %s, want about 100ms", p)
		}
	}
	if left := b.Redis.PTTL(t.Context(), list.Key(keys.SuffixTraffic)).Val(); left <= 6*24*time.Hour || left > 7*24*time.Hour {
		t.Errorf("the record expires in %s, want a week", left)
	}
}

func bounded(t *testing.T, b *backends.Backend) {
	list := record(t)
	key, now := list.Key(keys.SuffixTraffic), b.Redis.Time(t.Context()).Val().Unix()
	slot, minute := now/10, now/60
	if err := b.Redis.HSet(t.Context(), key, fmt.Sprint("s", slot-FineSlots-1), "1", fmt.Sprint("s", slot-FineSlots+9), "1",
		fmt.Sprint("m", minute-coarseKept-1), "1", fmt.Sprint("m", minute-coarseKept+9), "1",
		"by:dead", fmt.Sprint("7 ", minute-70), "by:alive", fmt.Sprint("7 ", minute-9)).Err(); err != nil {
		t.Fatal(err)
	}
	add(t, b, batch(list, "a", 1, 1))
	if n := b.Redis.HLen(t.Context(), key).Val(); n != 6 { // three are kept, three are new
		t.Errorf("%d fields are left, want 6: %v", n, b.Redis.HKeys(t.Context(), key).Val())
	}
}

func rubbish(t *testing.T, b *backends.Backend) {
	list := record(t)
	if err := b.Redis.HSet(t.Context(), list.Key(keys.SuffixTraffic), "s1x", "5", "m99999999999999999", "5", "what", "ever", "by:x", "y").Err(); err != nil {
		t.Fatal(err)
	}
	add(t, b, batch(list, "a", 1, 1))
	series, err := New(b.Redis).Read(t.Context(), list, 100)
	if err != nil || len(series.Slots) > 1 {
		t.Errorf("%d slots and the error %v, want at most the one that is over", len(series.Slots), err)
	}
}

func wrongType(t *testing.T, b *backends.Backend) {
	list := record(t)
	if err := b.Redis.Set(t.Context(), list.Key(keys.SuffixTraffic), "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	good := keys.NewList(list.Plain() + "-good")
	problems := New(b.Redis).Add(t.Context(), []Batch{batch(list, "a", 1, 1), batch(good, "a", 2, 1)})
	if _, mistyped := errors.AsType[*redisx.TypeError](problems[0]); !mistyped || problems[1] != nil {
		t.Errorf("errors %v, want that of the first alone", problems)
	}
	if _, err := New(b.Redis).Read(t.Context(), list, 100); err == nil {
		t.Error("a record of another type is read")
	}
}

// A series has no gap, leaves the present out, and merges slots to stay within its limit.
func TestSeries(t *testing.T) {
	now := time.Unix(1_800_000_005, 0)
	s, m := now.Unix()/10, now.Unix()/60
	short := map[string]string{fmt.Sprint("s", s-4): "10", fmt.Sprint("s", s-1): "20", fmt.Sprint("s", s): "7", fmt.Sprint("m", m): "37"}
	series := seriesOf(short, now, 100)
	if len(series.Slots) != 4 || series.Step != fine {
		t.Fatalf("%d slots of %s, want 4 of %s", len(series.Slots), series.Step, fine)
	}
	for i, want := range []float64{1, 0, 0, 2} {
		if got := series.Slots[i].PerSecond(series.Slots[i].Answers); got != want {
			t.Errorf("slot %d has %g a second, want %g", i, got, want)
		}
	}
	long := map[string]string{fmt.Sprint("s", s-1): "1"}
	for i := range int64(1000) {
		long[fmt.Sprint("m", m-i)] = "60"
	}
	series = seriesOf(long, now, 180)
	if n := len(series.Slots); n > 181 || n < 150 || series.Step != 6*time.Minute {
		t.Fatalf("%d slots of %s, want at most 181 of 6m", n, series.Step)
	}
	for _, slot := range series.Slots[1:] { // the first may begin before the record
		if got := slot.PerSecond(slot.Answers); got != 1 {
			t.Errorf("a slot has %g a second, want 1", got)
		}
	}
	// A time after the year 9999 is none.
	if slots, first := readSlots(map[string]string{"m4223371679": "1", "m4223371680": "1", "m0": "1", "m-1": "1"}, "m", coarse); len(slots) != 1 || first != 4223371679 {
		t.Errorf("slots %v from %d, want the last minute of 9999 alone", slots, first)
	}
	if empty := seriesOf(nil, now, 10); len(empty.Slots) != 0 {
		t.Errorf("slots %v of nothing", empty.Slots)
	}
}

func TestQuantile(t *testing.T) {
	var h Histogram
	for i := range 1000 {
		h.Observe(time.Duration(i+1) * time.Millisecond)
	}
	for share, want := range map[float64]float64{0.5: 500, 0.95: 950, 0.99: 990} {
		if got := float64(h.Quantile(share).Milliseconds()); math.Abs(got-want) > want/8 {
			t.Errorf("quantile %g is %g ms, want about %g", share, got, want)
		}
	}
	// 5, 6.3 and 1008 ms end buckets. Within one, a quantile grows evenly.
	h = Histogram{}
	for range 4 {
		for _, d := range []time.Duration{time.Millisecond, 6 * time.Millisecond, time.Second} {
			h.Observe(d)
		}
	}
	for share, want := range map[float64]float64{0: 0, 1. / 6: 2.5, 1. / 3: 5, 0.5: 5.65, 2. / 3: 6.3, 1: float64(bounds[23]) / 1e6} {
		if got := float64(h.Quantile(share)) / 1e6; math.Abs(got-want) > 0.001 {
			t.Errorf("quantile %g is %g ms, want %g", share, got, want)
		}
	}
	h = Histogram{}
	h.Observe(6 * time.Millisecond)
	if got := h.Quantile(0); got != 5*time.Millisecond {
		t.Errorf("6ms counts as at least %s, want 5ms", got)
	}
	h = Histogram{}
	h.Observe(time.Hour)
	if got := h.Quantile(0.5); got < 30*time.Second {
		t.Errorf("an hour counts as %s", got)
	}
}

// The slot of the present is not over, and is left out. A record of another type is empty.
func recent(t *testing.T, b *backends.Backend) {
	list, other := record(t), keys.NewList("campaign:other"+t.Name())
	slot := b.Redis.Time(t.Context()).Val().Unix() / 10
	for at := slot - 8; at <= slot+1; at++ { // the next one may begin during the test
		if err := b.Redis.HSet(t.Context(), list.Key(keys.SuffixTraffic), fmt.Sprintf("s%d", at), fmt.Sprintf("%d,1", at)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Redis.Set(t.Context(), other.Key(keys.SuffixTraffic), "text", 0).Err(); err != nil {
		t.Fatal(err)
	}
	all, err := New(b.Redis).Recent(t.Context(), []keys.List{other, list}, 6)
	if err != nil || len(all) != 2 || len(all[0].Slots) != 0 || len(all[1].Slots) != 6 {
		t.Fatalf("got %+v, %v", all, err)
	}
	for i, s := range all[1].Slots {
		at := s.At.Unix() / 10
		if s.Answers != at || !s.At.Equal(time.Unix(at*10, 0)) || s.Limited != 1 || s.Took != fine || i == 5 && at != slot-1 && at != slot {
			t.Errorf("slot %d is %d with %d answers", i, at, s.Answers)
		}
	}
}

// The present minute has the slot of the present, and nothing of the minutes around it.
func presentMinute(t *testing.T, b *backends.Backend) {
	list, other := record(t), keys.NewList("campaign:other"+t.Name())
	if err := b.Redis.Set(t.Context(), other.Key(keys.SuffixTraffic), "text", 0).Err(); err != nil {
		t.Fatal(err)
	}
	read := func() []int64 {
		t.Helper()
		all, err := New(b.Redis).Minute(t.Context(), []keys.List{other, list, record(t)})
		if err != nil || len(all) != 3 || all[0] != 0 || all[1] != all[2] {
			t.Fatalf("got %v, %v", all, err)
		}
		return all
	}
	for {
		minute := b.Redis.Time(t.Context()).Val().Truncate(time.Minute)
		if err := b.Redis.Del(t.Context(), list.Key(keys.SuffixTraffic)).Err(); err != nil {
			t.Fatal(err)
		}
		for i := -1; i <= 6; i++ { // the first and the last are of other minutes
			if err := b.Redis.HSet(t.Context(), list.Key(keys.SuffixTraffic), fmt.Sprintf("s%d", minute.Unix()/10+int64(i)), "100,1").Err(); err != nil {
				t.Fatal(err)
			}
		}
		got := read()[1]
		now := b.Redis.Time(t.Context()).Val()
		if !now.Truncate(time.Minute).Equal(minute) {
			continue // another minute has begun
		}
		if most := 100 * (now.Unix()%60/10 + 1); got > most || got < 100 || got%100 != 0 {
			t.Errorf("%d requests in the minute, want at most %d", got, most)
		}
		return
	}
}
