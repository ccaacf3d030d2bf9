package pacing

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

// A late permit is dropped in time, even without a campaign that could have spent it.
func TestLatePermitsAreDroppedWithoutCampaigns(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		now := time.Now()
		g.quota.shares = []permitRun{{from: now.Add(-time.Minute), span: 10 * time.Millisecond, n: 10}}
		g.meterOnce(f.t.Context(), now)
		wantEqual(t, "held", g.quota.available(), 0)
	})
}

// While the gate is closed the replica asks for nothing, except for the state after a signal.
func TestClosedGateAsksForNothing(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g, now := f.governor(), time.Now()
		g.gate = gate{until: now.Add(time.Minute), knownUntil: now.Add(time.Minute)}
		_, err := g.enter(Push{Campaign: "42"}, now)
		must(t, err)
		for _, peek := range []bool{false, true} {
			g.quota.peek = peek
			g.meterOnce(f.t.Context(), now)
			g.mu.Lock()
			wantEqual(t, "asking", g.quota.asking, peek)
			g.mu.Unlock()
		}
		g.work.Wait()
	})
}

// A replica of a halted project asks again after a while, even if Redis named an earlier time.
func TestHaltedReplicaAsksAgain(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		g.accept(g.quota, leaseRequest{}, leaseReply{now: 1e15, era: 1, status: statusHalt, again: 1e15}, time.Now(), time.Now())
		wantBetween(t, "ask again in", time.Until(g.quota.askAfter), recheckInterval, recheckInterval+jitter)
	})
}

// Leases of another era are not given back.
func TestVoidGivesNothingBack(t *testing.T) {
	p := permitBuffer{unspent: time.Second, shares: []permitRun{{n: 10, used: 3}}}
	wantEqual(t, "dropped", p.dropAll(), 7)
	wantEqual(t, "to be given back", p.unspent, 0)
}

// Pushes count for the campaign's own rate as for the project's. Another key is another rate.
func TestCapCountsItsPushes(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		for _, c := range []struct {
			key  string
			came int
		}{{"a", 1}, {"a", 2}, {"b", 1}} {
			w, err := g.enter(Push{Campaign: "42", Cap: 10, CapKey: c.key}, time.Now())
			must(t, err)
			wantEqual(t, "key", w.flow.cap.keys[0], c.key)
			wantEqual(t, "came", w.flow.cap.arrived, c.came)
		}
	})
}

// A gate of another replica with a longer bound is shown within this replica's bound.
func TestForeignGateIsCut(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		f.o.MaxGate = 24 * time.Hour
		must(t, f.governor().CloseGate(f.t.Context(), 10*time.Hour, "429"))
		f.o.MaxGate = time.Hour
		state, err := f.governor().State(f.t.Context())
		must(t, err)
		wantEqual(t, "left", state.Gate.Until.Sub(state.Now), time.Hour)
	})
}

// says is a Redis that gives every script the same reply.
type says struct {
	scripts
	reply any
}

func (s says) run(context.Context, *redis.Script, []string, ...any) (any, error) { return s.reply, nil }

func TestOddLeasesAreRefused(t *testing.T) {
	lease := func(n, from, until int64) []any {
		return []any{int64(1), int64(1), statusOpen, n, from, until, int64(0), int64(0)}
	}
	for name, c := range map[string]struct {
		reply any
		sound bool
	}{
		"all":          {lease(10, 1, 2), true},
		"none":         {lease(0, 0, 0), true},
		"too many":     {lease(11, 1, 2), false},
		"below none":   {lease(-1, 1, 2), false},
		"no time":      {lease(10, 2, 2), false},
		"too short":    {lease(10, 1, 2)[:7], false},
		"no status":    {append([]any{int64(1), int64(1), int64(1)}, lease(10, 1, 2)[3:]...), false},
		"no number":    {append(lease(10, 1, 2)[:7], "0"), false},
		"not a list":   {"OK", false},
		"no reply yet": {nil, false},
	} {
		_, err := newSharedState(says{reply: c.reply}, project()).lease(t.Context(), leaseRequest{want: 10})
		if c.sound != (err == nil) || err != nil && !errors.Is(err, redisx.ErrReply) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
