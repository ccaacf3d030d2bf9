package pacing

import (
	"strconv"
	"testing"
	"time"
)

// erasGrow also voids leases from before a clock was set back.
func erasGrow(t *testing.T, b *bench) {
	s := pace(1000, 0)
	ahead := b.take(b.request(10, s)).now + 3_600_000_000
	b.write("era", ahead)
	closed, _, err := b.closeGate(t.Context(), time.Minute, time.Hour, "429")
	must(t, err)
	halted, err := b.halt(t.Context(), "by hand", "a test")
	must(t, err)
	resumed, _, err := b.resume(t.Context(), "")
	must(t, err)
	set, err := b.set(t.Context(), s.interval(), pace(500, 0), true)
	must(t, err)
	wantEqual(t, "eras", [4]int64{closed - ahead, halted - ahead, resumed - ahead, set - ahead}, [4]int64{1, 2, 3, 4})
}

func gateInRedis(t *testing.T, b *bench) {
	s := pace(1000, time.Minute)
	a := b.request(100, s)
	first := b.take(a)
	b.write("warm", 1)
	era, left, err := b.closeGate(t.Context(), time.Minute, time.Hour, "429")
	must(t, err)
	wantEqual(t, "left", left, time.Minute)
	if era <= first.era {
		t.Errorf("era %d does not make void what was leased in %d", era, first.era)
	}
	got := b.take(a)
	wantEqual(t, "verdict", got.status, statusGate)
	wantEqual(t, "ask again when it ends", got.again, got.gate)
	again, left, err := b.closeGate(t.Context(), time.Second, time.Hour, "shorter")
	must(t, err)
	wantEqual(t, "era of a shorter one", again, era)
	wantBetween(t, "left", left, 50*time.Second, time.Minute)
	_, left, err = b.closeGate(t.Context(), 100*time.Hour, time.Hour, "absurd")
	must(t, err)
	wantEqual(t, "left", left, time.Hour)
	b.write("gate", got.now)
	b.write("cursor", got.now)
	got = b.take(a)
	wantBetween(t, "interval of the ramp behind it", (got.until-got.from)/int64(got.n), 55_000, 61_000)
}

// gateHurriesNobody closes a gate that ends before the next push of a slow pace.
func gateHurriesNobody(t *testing.T, b *bench) {
	first := b.take(b.request(1, Settings{Quota: 1}))
	_, _, err := b.closeGate(t.Context(), time.Second, time.Hour, "429")
	must(t, err)
	_, fields, _, err := b.read(t.Context())
	must(t, err)
	wantEqual(t, "cursor", fields["cursor"], strconv.FormatInt(first.until, 10))
}

func haltsInRedis(t *testing.T, b *bench) {
	a := b.request(100, pace(1000, 0))
	first, err := b.halt(t.Context(), "credentials", "dispatcher 1")
	must(t, err)
	second, err := b.halt(t.Context(), "breaker", "dispatcher 2")
	must(t, err)
	if second <= first {
		t.Errorf("era %d came after %d", second, first)
	}
	again, err := b.halt(t.Context(), "breaker", "dispatcher 3")
	must(t, err)
	wantEqual(t, "era of a reason that stands", again, second)
	wantEqual(t, "verdict", b.take(a).status, statusHalt)
	_, free, err := b.resume(t.Context(), "credentials")
	must(t, err)
	wantEqual(t, "free", free, false)
	wantEqual(t, "verdict", b.take(a).status, statusHalt)
	_, free, err = b.resume(t.Context(), "breaker")
	must(t, err)
	wantEqual(t, "free", free, true)
	wantEqual(t, "verdict", b.take(a).status, statusOpen)
	_, err = b.halt(t.Context(), "a", "")
	must(t, err)
	_, free, err = b.resume(t.Context(), "")
	must(t, err)
	wantEqual(t, "free of all", free, true)

	a = b.request(100, pace(1000, time.Minute))
	b.write("warm", 1)
	_, err = b.halt(t.Context(), "a", "")
	must(t, err)
	_, _, err = b.resume(t.Context(), "a")
	must(t, err)
	got := b.take(a)
	wantBetween(t, "interval of the ramp behind it", (got.until-got.from)/int64(got.n), 55_000, 61_000)
}

func anotherRate(t *testing.T, b *bench) {
	own := pace(1000, 0)
	first := b.take(b.request(1000, own))
	for range 20 {
		b.take(b.request(1000, own))
	}
	slow := Settings{Quota: 1, Headroom: 0.5}
	era, err := b.set(t.Context(), own.interval(), slow, true)
	must(t, err)
	if era <= first.era {
		t.Errorf("era %d does not make void what was leased in %d", era, first.era)
	}
	got := b.take(b.request(1000, own))
	wantEqual(t, "leased", got.n, 0)
	wantBetween(t, "ask again in", got.again-got.now, 119_000_000, 119_900_000) // it owes one push at most
	era, err = b.set(t.Context(), own.interval(), pace(10_000, 0), true)
	must(t, err)
	got = b.take(b.request(1000, own))
	wantEqual(t, "era", got.era, era)
	wantEqual(t, "leased", got.n, 200)
	wantBetween(t, "lead", got.from-got.now, 0, 100)
	same, err := b.set(t.Context(), own.interval(), Settings{Quota: 600_000, Ramp: time.Minute}, true)
	must(t, err)
	wantEqual(t, "era with the same rate", same, era)
	_, err = b.set(t.Context(), own.interval(), own, false)
	must(t, err)
	wantEqual(t, "leased by its own settings", b.take(b.request(1000, own)).n, 20)
}
