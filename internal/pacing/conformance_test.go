package pacing

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conformance lists what the scripts do on every server, and in the memory that other tests use.
var conformance = []struct {
	name string
	test func(*testing.T, *bench)
}{
	{"shares lie one behind the other", sharesFollow},
	{"shares of a ramp", sharesOfARamp},
	{"no more than a second ahead", leadIsBounded},
	{"a slow pace", slowPace},
	{"a cursor too far ahead", strayCursor},
	{"rubbish", rubbish},
	{"gate", gateInRedis},
	{"gate before the next push", gateHurriesNobody},
	{"eras only ever grow", erasGrow},
	{"halts", haltsInRedis},
	{"history", historyInRedis},
	{"given back once", givenBackOnce},
	{"given back cools", givenBackCools},
	{"another rate", anotherRate},
	{"state", stateInRedis},
	{"wrong type", wrongType},
	{"keys go by themselves", keysExpire},
}

// bench is the shared state of a fresh project on one kind of Redis.
type bench struct {
	*sharedState
	t    *testing.T
	name string
	rdb  redis.UniversalClient // nil: memory
	mem  *memory
	keys keys.ProjectKeys
}

func TestConformance(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		conform(t, func(keys keys.ProjectKeys) *bench {
			mem := newMemory()
			return &bench{name: "memory", mem: mem, sharedState: newSharedState(mem, keys)}
		})
	})
	backends.Each(t, func(t *testing.T, on *backends.Backend) {
		conform(t, func(keys keys.ProjectKeys) *bench {
			return &bench{name: on.Name, rdb: on.Redis, sharedState: newSharedState(server{on.Redis}, keys)}
		})
	})
}

func conform(t *testing.T, open func(keys.ProjectKeys) *bench) {
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) {
			project := keys.Default().Project(queue.NewID())
			b := open(project)
			b.t, b.keys = t, project
			c.test(t, b)
		})
	}
}

func (b *bench) request(want int, s Settings) leaseRequest {
	return leaseRequest{
		keys: []string{b.pace, b.halts}, want: want, pace: s, interval: s.interval(), idle: DefaultIdle, share: shareTime,
		maxGate: DefaultMaxGate, id: "0123456789abcdef",
	}
}

func (b *bench) take(a leaseRequest) leaseReply {
	b.t.Helper()
	got, err := b.lease(b.t.Context(), a)
	must(b.t, err)
	return got
}

// write sets a field of the pace hash as no script would.
func (b *bench) write(field string, value int64) {
	b.t.Helper()
	b.writeText(field, strconv.FormatInt(value, 10))
}

func (b *bench) writeText(field, value string) {
	b.t.Helper()
	if b.rdb == nil {
		b.mem.hashes[b.pace][field] = value
		return
	}
	must(b.t, b.rdb.HSet(b.t.Context(), b.pace, field, value).Err())
}

func pace(perSecond int, ramp time.Duration) Settings {
	return Settings{Quota: perSecond * 60, Ramp: ramp}
}

func sharesFollow(t *testing.T, b *bench) {
	a := b.request(10_000, pace(10_000, 0))
	a.share = 900 * time.Millisecond // so that the next one comes in time, however slow the machine
	first := b.take(a)
	wantEqual(t, "first", first.from, first.now)
	wantEqual(t, "one share", first.n, 9000)
	wantEqual(t, "its length", first.until-first.from, 900_000)
	a.want = 7
	second := b.take(a)
	wantEqual(t, "second", second.from, first.until)
	wantEqual(t, "as many as are wanted", second.n, 7)
	wantEqual(t, "its length", second.until-second.from, 700)
	wantEqual(t, "era", second.era, first.era)
	a.pace.Quota, a.interval, a.share = 600, 1e5, shareTime
	third := b.take(a)
	wantEqual(t, "third, of a replica that is set to less", third.from, second.until)
	wantEqual(t, "one at least", third.n, 1)
	wantEqual(t, "its length", third.until-third.from, 100_000)
}

func sharesOfARamp(t *testing.T, b *bench) {
	s := pace(10_000, time.Minute)
	p, place, due := s.profile(), 0.0, int64(0)
	for i := range 40 {
		if i == 20 {
			place = p.ramp / 2
			b.writeText("warm", "0.5")
		}
		got := b.take(b.request(10_000, s))
		if due != 0 && got.from != due { // a slow machine
			place = p.ramp * cool(place/p.ramp, micros(got.from-due), DefaultIdle)
		}
		want := p.span(place, float64(got.n))
		if math.Abs(float64(got.until-got.from)-want) > 2 {
			t.Fatalf("a share of %d from %gµs of the ramp takes %dµs, want %g", got.n, place, got.until-got.from, want)
		}
		wantBetween(t, "share", float64(got.n), 1, max(1, p.rate(place)*20_000))
		place, due = place+float64(got.until-got.from), got.until
	}
	_, fields, _, err := b.read(t.Context())
	must(t, err)
	wantBetween(t, "the ramp so far", fraction(fields["warm"])*p.ramp, place-5, place+5)
}

func leadIsBounded(t *testing.T, b *bench) {
	a := b.request(1000, pace(10_000, 0))
	for range 200 {
		got := b.take(a)
		if got.n == 0 {
			wantEqual(t, "status", got.status, statusAhead)
			wantBetween(t, "ask again in", got.again-got.now, 1, 20_000)
			return
		}
		wantBetween(t, "lead", got.from-got.now, 0, 1_000_000)
	}
	t.Error("4 s were leased ahead")
}

func slowPace(t *testing.T, b *bench) {
	s := Settings{Quota: 1}
	wantEqual(t, "first", b.take(b.request(100, s)).n, 1)
	got := b.take(b.request(100, s))
	wantEqual(t, "second at once", got.n, 0)
	wantBetween(t, "ask again in", got.again-got.now, 59_000_000, 59_900_000)
}

func strayCursor(t *testing.T, b *bench) {
	a := b.request(10, pace(1000, 0))
	now := b.take(a).now
	b.write("cursor", now+3_600_000_000) // as before a clock was put back
	got := b.take(a)
	wantEqual(t, "leased", got.n, 0)
	wantBetween(t, "ask again in", got.again-got.now, 0, 1_010_000)
	wantEqual(t, "ask again, whenever it is asked", b.take(a).again, got.again)
	b.write("gate", now+100*3_600_000_000)
	wantBetween(t, "gate", b.take(a).gate-now, 0, 3_601_000_000)
}

// rubbish can only come from a person.
func rubbish(t *testing.T, b *bench) {
	a := b.request(10, pace(1000, 0))
	b.take(a)
	for _, field := range []string{"cursor", "warm", "era", "gate", "interval"} {
		for _, value := range []string{"", "x", "nan", "inf", "-inf", "1e300"} {
			b.writeText(field, value)
			if _, err := b.lease(t.Context(), a); err != nil {
				t.Errorf("%s %q: %v", field, value, err)
			}
		}
	}
	for _, field := range []string{"quota", "headroom", "ramp"} {
		for _, value := range []string{"", "x", "nan", "inf", "-1", "1e300"} {
			_, err := b.set(t.Context(), 1000, pace(1000, 0), true, "me")
			must(t, err)
			b.writeText(field, value)
			if _, err := b.lease(t.Context(), a); err == nil || !strings.Contains(err.Error(), "fanfare quota reset") {
				t.Errorf("%s %q: %v, want what to do", field, value, err)
			}
			_, err = b.set(t.Context(), 1000, pace(1000, 0), false, "me")
			must(t, err)
		}
	}
}

func givenBackOnce(t *testing.T, b *bench) {
	a := b.request(1000, pace(1000, 0))
	a.share = 900 * time.Millisecond // so that the cursor stays ahead, however slow the machine
	a.id = "f000000000000000"
	before := b.take(a)
	back := a
	back.want, back.id, back.unspent, back.known = 1, "aaaaaaaaaaaaaaaa", 100*time.Millisecond, before.era
	got := b.take(back)
	wantEqual(t, "leased again", got.from, before.until-100_000)
	again := b.take(back)
	wantEqual(t, "the same, repeated", again.from, got.until)
	back.id, back.known = "bbbbbbbbbbbbbbbb", before.era-1
	wantEqual(t, "of another era", b.take(back).from, again.until)
	back.id, back.known, back.unspent = "cccccccccccccccc", before.era, time.Hour
	got = b.take(back)
	wantEqual(t, "more than there is", got.from, got.now)
}

// givenBackCools checks that a ramp takes back what unspent time has warmed it.
func givenBackCools(t *testing.T, b *bench) {
	a := b.request(1000, pace(1000, 10*time.Second))
	a.share = 900 * time.Millisecond // so that the cursor stays ahead, however slow the machine
	before := b.take(a)
	b.writeText("warm", "0.5")
	back := a
	back.want, back.id, back.unspent, back.known = 1, "aaaaaaaaaaaaaaaa", 100*time.Millisecond, before.era
	got := b.take(back)
	wantEqual(t, "leased again", got.from, before.until-100_000)
	_, fields, _, err := b.read(t.Context())
	must(t, err)
	want := 0.5 + float64(got.until-got.from-100_000)/1e7
	wantBetween(t, "the ramp so far", fraction(fields["warm"]), want-1e-6, want+1e-6)
}

func stateInRedis(t *testing.T, b *bench) {
	now, pace, halts, err := b.read(t.Context())
	must(t, err)
	wantBetween(t, "clock", now, 1e15, 1e16)
	wantEqual(t, "fields of nothing", len(pace)+len(halts), 0)
	_, err = b.halt(t.Context(), "why so", "me too")
	must(t, err)
	_, err = b.set(t.Context(), 1, Settings{Quota: 7}, true, "me")
	must(t, err)
	_, pace, halts, err = b.read(t.Context())
	must(t, err)
	wantEqual(t, "quota", pace["quota"], "7")
	_, by, _ := strings.Cut(halts["why so"], " ")
	wantEqual(t, "by", by, "me too")
}

func wrongType(t *testing.T, b *bench) {
	if b.rdb == nil {
		return // the memory has hashes only
	}
	must(t, b.rdb.Set(t.Context(), b.pace, "stray", 0).Err())
	_, leaseErr := b.lease(t.Context(), b.request(1, pace(1, 0)))
	_, haltErr := b.halt(t.Context(), "r", "")
	for _, err := range []error{leaseErr, haltErr} {
		if wrong, ok := errors.AsType[*redisx.TypeError](err); !ok || wrong.Key != b.pace {
			t.Errorf("%v, want the key that holds another type", err)
		}
	}
	wantEqual(t, "halts written", b.rdb.Exists(t.Context(), b.halts).Val(), 0)
}

func keysExpire(t *testing.T, b *bench) {
	if b.rdb == nil {
		return // the memory keeps all
	}
	b.take(b.request(1, pace(1000, 0)))
	wantBetween(t, "expiry", b.rdb.PTTL(t.Context(), b.pace).Val(), 6*24*time.Hour, 7*24*time.Hour)
	_, err := b.set(t.Context(), 1, pace(1000, 0), true, "me")
	must(t, err)
	b.take(b.request(1, pace(1000, 0)))
	wantEqual(t, "expiry of what an operator has set", b.rdb.PTTL(t.Context(), b.pace).Val(), -1)
	_, err = b.set(t.Context(), 1, pace(1000, 0), false, "me")
	must(t, err)
	wantBetween(t, "expiry", b.rdb.PTTL(t.Context(), b.pace).Val(), 6*24*time.Hour, 7*24*time.Hour)
}
