package pacing

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/history"
)

// erasGrow also voids leases from before a clock was set back.
func erasGrow(t *testing.T, b *bench) {
	s := pace(1000, 0)
	ahead := b.take(b.request(10, s)).now + 3_600_000_000
	b.write("era", ahead)
	closed, _, err := b.closeGate(t.Context(), time.Minute, time.Hour, "429", ByFCM)
	must(t, err)
	halted, err := b.halt(t.Context(), "by hand", "a test")
	must(t, err)
	resumed, _, err := b.resume(t.Context(), "", "me")
	must(t, err)
	set, err := b.set(t.Context(), s.interval(), pace(500, 0), true, "me")
	must(t, err)
	wantEqual(t, "eras", [4]int64{closed - ahead, halted - ahead, resumed - ahead, set - ahead}, [4]int64{1, 2, 3, 4})
}

func gateInRedis(t *testing.T, b *bench) {
	s := pace(1000, time.Minute)
	a := b.request(100, s)
	first := b.take(a)
	b.write("warm", 1)
	era, left, err := b.closeGate(t.Context(), time.Minute, time.Hour, "429", ByFCM)
	must(t, err)
	wantEqual(t, "left", left, time.Minute)
	if era <= first.era {
		t.Errorf("era %d does not make void what was leased in %d", era, first.era)
	}
	got := b.take(a)
	wantEqual(t, "status", got.status, statusGate)
	wantEqual(t, "ask again when it ends", got.again, got.gate)
	again, left, err := b.closeGate(t.Context(), time.Second, time.Hour, "shorter", ByFCM)
	must(t, err)
	wantEqual(t, "era of a shorter one", again, era)
	wantBetween(t, "left", left, 50*time.Second, time.Minute)
	_, left, err = b.closeGate(t.Context(), 100*time.Hour, time.Hour, "absurd", ByFCM)
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
	_, _, err := b.closeGate(t.Context(), time.Second, time.Hour, "429", ByFCM)
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
	wantEqual(t, "status", b.take(a).status, statusHalt)
	_, free, err := b.resume(t.Context(), "credentials", "me")
	must(t, err)
	wantEqual(t, "free", free, false)
	wantEqual(t, "status", b.take(a).status, statusHalt)
	_, free, err = b.resume(t.Context(), "breaker", "me")
	must(t, err)
	wantEqual(t, "free", free, true)
	wantEqual(t, "status", b.take(a).status, statusOpen)
	_, err = b.halt(t.Context(), "a", "")
	must(t, err)
	_, free, err = b.resume(t.Context(), "", "me")
	must(t, err)
	wantEqual(t, "free of all", free, true)

	a = b.request(100, pace(1000, time.Minute))
	b.write("warm", 1)
	_, err = b.halt(t.Context(), "a", "")
	must(t, err)
	_, _, err = b.resume(t.Context(), "a", "me")
	must(t, err)
	got := b.take(a)
	wantBetween(t, "interval of the ramp behind it", (got.until-got.from)/int64(got.n), 55_000, 61_000)
}

// Each change is in the history once, with who made it. A repeated halt adds no entry, nor does a
// resume that ends nothing.
func historyInRedis(t *testing.T, b *bench) {
	if b.rdb == nil {
		return // the memory keeps no histories
	}
	_, err := b.halt(t.Context(), "by hand", "ops")
	must(t, err)
	_, err = b.halt(t.Context(), "by hand", "another")
	must(t, err)
	_, _, err = b.resume(t.Context(), "of another reason", "ops")
	must(t, err)
	_, _, err = b.resume(t.Context(), "by hand", "dispatcher 1")
	must(t, err)
	_, _, err = b.resume(t.Context(), "", "ops")
	must(t, err)
	_, err = b.set(t.Context(), 1000, Settings{Quota: 6000, Headroom: 0.015, Ramp: time.Minute, AvoidQuarterHours: true}, true, "ops")
	must(t, err)
	_, err = b.set(t.Context(), 1000, pace(1000, 0), false, "ops")
	must(t, err)
	found, err := b.entries(t.Context(), b.history)
	must(t, err)
	var all []string
	for _, e := range history.Parse(found) {
		all = append(all, e.What+" by "+e.Who+": "+e.Detail)
	}
	wantEqual(t, "history", strings.Join(all, "; "), "halted by ops: by hand; resumed by dispatcher 1: by hand; "+
		"quota set by ops: 6000 a minute, headroom 1.5%, ramp 1m0s, quarter hours avoided; quota reset by ops: ")
	wantBetween(t, "time to live", b.rdb.PTTL(t.Context(), b.history).Val(), 89*24*time.Hour, 90*24*time.Hour)
}

func anotherRate(t *testing.T, b *bench) {
	own := pace(1000, 0)
	ahead := b.request(1000, own)
	ahead.share = 900 * time.Millisecond // so that the cursor stays ahead, however slow the machine
	first := b.take(ahead)
	slow := Settings{Quota: 1, Headroom: 0.5}
	era, err := b.set(t.Context(), own.interval(), slow, true, "me")
	must(t, err)
	if era <= first.era {
		t.Errorf("era %d does not make void what was leased in %d", era, first.era)
	}
	got := b.take(b.request(1000, own))
	wantEqual(t, "leased", got.n, 0)
	wantBetween(t, "ask again in", got.again-got.now, 119_000_000, 119_900_000) // it owes one push at most
	era, err = b.set(t.Context(), own.interval(), pace(10_000, 0), true, "me")
	must(t, err)
	got = b.take(b.request(1000, own))
	wantEqual(t, "era", got.era, era)
	wantEqual(t, "leased", got.n, 200)
	wantBetween(t, "lead", got.from-got.now, 0, 100)
	same, err := b.set(t.Context(), own.interval(), Settings{Quota: 600_000, Ramp: time.Minute}, true, "me")
	must(t, err)
	wantEqual(t, "era with the same rate", same, era)
	_, err = b.set(t.Context(), own.interval(), own, false, "me")
	must(t, err)
	wantEqual(t, "leased by its own settings", b.take(b.request(1000, own)).n, 20)
}
