package breaker_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/breaker"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

const (
	canarySize = 20
	lease      = 15 * time.Second
	actWithin  = 10 * time.Second
)

// model is what should be true of one campaign.
type model struct {
	*rapid.T
	server *miniredis.Miniredis
	rdb    *redis.Client
	list   keys.List
	now    time.Duration
	actors []*actor
	claims map[string]*held
	rounds map[int64]*round
	newest int64 // the newest round with an admission
	bads   int   // answers, over all rounds
	made   int   // claims

	trip *breaker.Trip // a trip that was handed out and has not been acted on
	by   *actor
	told time.Duration
}

// held are the admissions of a claim: n may still be answered, dead ones are those of a replica
// that crashed.
type held struct {
	replica *actor
	round   int64
	n, dead int
	until   time.Duration
}

// round holds the reports on one round.
type round struct{ proofs, bad int }

// actor is a replica with a line of its own.
type actor struct {
	*breaker.Breakers
	line *line
}

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newModel(t *rapid.T, server *miniredis.Miniredis, rdb *redis.Client) *model {
	list, err := keys.Default().Campaign(queue.NewID())
	if err != nil {
		t.Fatal(err)
	}
	m := &model{
		T: t, server: server, rdb: rdb, list: list, claims: map[string]*held{}, rounds: map[int64]*round{},
	}
	m.pass(0)
	for range rapid.IntRange(1, 4).Draw(t, "replicas") {
		m.actors = append(m.actors, m.join())
	}
	return m
}

// pass advances the time of all replicas.
func (m *model) pass(d time.Duration) {
	m.now += d
	m.server.SetTime(began.Add(m.now))
}

func (m *model) join() *actor {
	line := &line{UniversalClient: m.rdb}
	o := breaker.DefaultOptions()
	o.Canary, o.Lease = canarySize, lease
	b, err := breaker.New(line, o)
	if err != nil {
		m.Fatalf("make breakers: %v", err)
	}
	b.SetClock(func() time.Time { return began.Add(m.now) })
	return &actor{Breakers: b, line: line}
}

func (m *model) someActor(t *rapid.T) *actor { return rapid.SampledFrom(m.actors).Draw(t, "replica") }

// someClaim draws among those whose admissions are not over, expired ones included: their replica
// is only slow.
func (m *model) someClaim(t *rapid.T) (string, *held) {
	var open []string
	for _, claim := range slices.Sorted(maps.Keys(m.claims)) {
		if m.claims[claim].n > 0 {
			open = append(open, claim)
		}
	}
	if len(open) == 0 {
		return "", nil
	}
	claim := rapid.SampledFrom(open).Draw(t, "claim")
	return claim, m.claims[claim]
}

func (m *model) of(number int64) *round {
	if m.rounds[number] == nil {
		m.rounds[number] = &round{}
	}
	return m.rounds[number]
}

// underWay counts the admissions of a round whose lease lasts.
func (m *model) underWay(number int64) (n int) {
	for _, h := range m.claims {
		if h.round == number && h.until > m.now {
			n += h.n + h.dead
		}
	}
	return n
}

func (m *model) count(h *held, kind breaker.Kind, n int) {
	h.n -= n
	if kind != breaker.Neutral {
		m.of(h.round).proofs += n
	}
	if kind == breaker.BadMessage {
		m.of(h.round).bad += n
		m.bads += n
	}
}

// recordTrip records a trip. The breaker hands it out again only after its holder had time to act.
func (m *model) recordTrip(v breaker.Decision, a *actor) {
	switch {
	case v.Trip == nil:
		return
	case v.Trip.Kind != breaker.BadMessage || v.Trip.Count < 3 || v.Trip.Count > int64(m.bads):
		m.Fatalf("trip %+v after %d bad answers", v.Trip, m.bads)
	case m.trip != nil && m.now < m.told+actWithin:
		m.Fatalf("told twice within %s", m.now-m.told)
	case m.trip != nil && !m.trip.At.Equal(v.Trip.At):
		m.Fatalf("a trip while another one stands")
	}
	m.trip, m.by, m.told = v.Trip, a, m.now
}

// insist repeats a call for as long as its replies are lost, which is drawn.
func (a *actor) insist(t *rapid.T, call func() error) {
	a.line.losses = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "losses")
	a.line.spared = rapid.IntRange(0, 1).Draw(t, "spared")
	a.line.arrives = rapid.Bool().Draw(t, "arrive")
	for {
		err := call()
		if err == nil {
			a.line.losses = 0
			return
		}
		if !errors.Is(err, errCut) {
			t.Fatalf("unexpected: %v", err)
		}
	}
}

var errCut = errors.New("cut off")

// line is a replica's way to Redis. It loses some scripts, or their replies when they arrive, after
// having spared some.
type line struct {
	redis.UniversalClient
	spared, losses int
	arrives        bool
	before         func() // each script; nil: nothing
}

func (l *line) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if l.before != nil {
		l.before()
	}
	return l.carry(ctx, func() *redis.Cmd { return l.UniversalClient.EvalSha(ctx, sha, keys, args...) })
}

func (l *line) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return l.carry(ctx, func() *redis.Cmd { return l.UniversalClient.Eval(ctx, script, keys, args...) })
}

func (l *line) carry(ctx context.Context, send func() *redis.Cmd) *redis.Cmd {
	switch {
	case l.losses == 0:
		return send()
	case l.spared > 0:
		l.spared--
		return send()
	}
	if l.arrives {
		if cmd := send(); redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			return cmd // not known yet: the client comes again with its text
		}
	}
	l.losses--
	lost := redis.NewCmd(ctx)
	lost.SetErr(errCut)
	return lost
}
