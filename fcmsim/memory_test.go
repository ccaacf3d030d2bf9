package fcmsim

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// A million tokens must fit beside the system under test: below 100 bytes each.
func TestLedgerOfHashesIsLean(t *testing.T) {
	const tokens, most = 300_000, 100
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	l := newLedger(LedgerHashes)
	d := rng(1)
	for range tokens {
		key, device := ledgerKey{target: d.next(), message: 1}, d.next()
		l.addAttempt(key, device)
		l.addAccepted(key, device, "token", []byte("{}"), "name")
	}
	if each := float64(heap()-before) / tokens; each > most {
		t.Errorf("%.0f bytes a token", each)
	} else {
		t.Logf("%.0f bytes a token", each)
	}
	runtime.KeepAlive(l)
}

func TestDevicesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{Speed: 60, Rules: Rules{Device: DeviceLimits{PerHour: 5}}}) // an hour takes a minute
		for range 3 {
			for target := range uint64(10 * ledgerShards) {
				s.devices.take(target, time.Now(), DeviceLimits{PerHour: 5})
			}
			pass(time.Minute)
		}
		s.devices.take(0, time.Now(), DeviceLimits{PerHour: 5})
		if got := len(s.devices.shards[0].known); got != 1 {
			t.Errorf("%d devices of past hours are remembered", got)
		}
	})
}

// A sweep forgets no device whose hour is not over.
func TestSweepKeepsCurrentHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{Rules: Rules{Device: DeviceLimits{PerHour: 1}}})
		take := func(target uint64) time.Duration {
			return s.devices.take(target*ledgerShards, time.Now(), DeviceLimits{PerHour: 1}) // all in one shard
		}
		take(1)
		pass(59 * time.Minute)
		take(2)
		pass(time.Minute)
		if left := take(3); left != 0 {
			t.Errorf("a new device has to wait for %s", left)
		}
		if left := take(2); left != 59*time.Minute {
			t.Errorf("a device of the present hour may go on after %s, want 59m", left)
		}
	})
}

// A time without requests counts as empty slots. Slots older than the trace are forgotten.
func TestTraceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{})
		statuses(t, s, "a")
		pass(10 * time.Minute)
		statuses(t, s, "b")
		got := s.Trace().Projects["demo"]
		if len(got.Seconds.Slots) != 601 || got.Seconds.Total() != 2 || got.Seconds.Slots[600].Accepted != 1 {
			t.Errorf("%d seconds with %d arrivals", len(got.Seconds.Slots), got.Seconds.Total())
		}
		if len(got.Tenths.Slots) != ringSize || got.Tenths.Total() != 1 {
			t.Errorf("%d tenths with %d arrivals", len(got.Tenths.Slots), got.Tenths.Total())
		}
		pass(24 * time.Hour)
		if got := s.Trace().Projects["demo"].Seconds; len(got.Slots) != ringSize || got.Total() != 0 {
			t.Errorf("a day later: %d seconds with %d arrivals", len(got.Slots), got.Total())
		}
	})
}
