package pacing

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A lease of one era is void in another, unless Redis itself went back.
func TestAnswersOfAnotherEra(t *testing.T) {
	for what, c := range map[string]struct {
		known, era int64 // when it was asked, and of the answer
		meanwhile  func(g *Governor)
		kept       int
	}{
		"the same":                          {known: 5, era: 5, kept: 10},
		"a newer one":                       {known: 5, era: 6, kept: 10},
		"a newer one, which was signalled":  {known: 5, era: 6, meanwhile: func(g *Governor) { g.startEra(6) }, kept: 10},
		"another one began meanwhile":       {known: 5, era: 5, meanwhile: func(g *Governor) { g.startEra(6) }},
		"Redis lost its data":               {known: 5, era: 4, kept: 10},
		"the gate was closed meanwhile":     {known: 5, era: 5, meanwhile: func(g *Governor) { g.gate.until = time.Now().Add(time.Minute) }},
		"all was dropped here meanwhile":    {known: 5, era: 5, meanwhile: func(g *Governor) { g.quota.dropAll() }},
		"all was dropped, and a new one is": {known: 5, era: 6, meanwhile: func(g *Governor) { g.quota.dropAll() }, kept: 10},
	} {
		inBubble(t, steady(1000), func(f *fleet) {
			g := f.governor()
			g.quota.era = c.known
			asked := leaseRequest{known: c.known, voids: g.quota.voids}
			if c.meanwhile != nil {
				c.meanwhile(g)
			}
			got := leaseReply{now: 1e15, era: c.era, status: statusOpen, n: 10, from: 1e15, until: 1e15 + 10_000}
			g.accept(g.quota, asked, got, time.Now(), time.Now())
			wantEqual(t, "kept of "+what, g.quota.available(), c.kept)
		})
	}
}

// A signal that arrives during a request causes another request at once, whatever the first one
// returns.
func TestSignalDuringAnAsk(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		refused := leaseReply{now: 1e15, era: 1, status: statusAhead, again: 2e15}
		g.accept(g.quota, leaseRequest{}, refused, time.Now(), time.Now())
		wantBetween(t, "ask again in", time.Until(g.quota.askAfter), recheckInterval, recheckInterval+jitter)
		g.startEra(2)
		g.accept(g.quota, leaseRequest{}, refused, time.Now(), time.Now())
		wantBetween(t, "ask again in", time.Until(g.quota.askAfter), -time.Hour, 0)
	})
}

// A slow reply does not bring its permits back to life.
func TestSlowReply(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		came := time.Now()
		g.accept(g.quota, leaseRequest{}, leaseReply{now: 1e15, era: 1, status: statusOpen, n: 10, from: 1e15, until: 1e15 + 10_000}, came.Add(-10*time.Second), came)
		wantEqual(t, "dropped", g.quota.expire(came), 10)
		wantEqual(t, "to be given back", g.quota.unspent, 10*time.Millisecond)
	})
}

// A replica with fewer pushes than the quota asks for a share's time of pushes at once, and not for
// one at a time.
func TestAsksSeldomWithinTheQuota(t *testing.T) {
	inBubble(t, steady(10_000), func(f *fleet) {
		r := f.start()
		const seconds, perSecond = 10, 1000
		for range seconds * perSecond {
			f.pass(time.Second / perSecond)
			must(t, r.Wait(f.t.Context(), Push{Campaign: "42"}))
		}
		wantBetween(t, "time", f.now(), seconds*time.Second, (seconds+1)*time.Second)
		wantBetween(t, "asks", int64(r.requests), 1, 50*seconds)
		r.stop()
	})
}

// The delay after a failed request starts over after a success. The log reports failures seldom.
func TestFailedAsks(t *testing.T) {
	var logged bytes.Buffer
	o := steady(1000)
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	inBubble(t, o, func(f *fleet) {
		g := f.governor()
		for range 5 {
			g.retryLater(f.t.Context(), g.quota, time.Now(), errDown)
		}
		g.retryLater(f.t.Context(), g.quota, time.Now().Add(warnInterval-1), errDown)
		wantEqual(t, "lines", strings.Count(logged.String(), "quota lease failed"), 1)
		g.retryLater(f.t.Context(), g.quota, time.Now().Add(warnInterval), errDown)
		wantEqual(t, "lines later", strings.Count(logged.String(), "quota lease failed"), 2)
		wantEqual(t, "failed in a row", g.quota.failures, 7)
		g.mu.Lock()
		g.requestLease(f.t.Context(), g.quota, 1, time.Now())
		g.mu.Unlock()
		g.work.Wait()
		wantEqual(t, "failed in a row after a success", g.quota.failures, 0)
	})
}

// A share is longer when Redis is slow or its round trips vary.
func TestShareTime(t *testing.T) {
	for want, p := range map[time.Duration]permitBuffer{
		aloneTime:              {},
		shareTime:              {lead: leadTime},
		60 * time.Millisecond:  {lead: leadTime, srtt: 30 * time.Millisecond},
		120 * time.Millisecond: {lead: leadTime, srtt: 20 * time.Millisecond, rttvar: 20 * time.Millisecond},
		maxShareTime:           {lead: leadTime, srtt: time.Second},
	} {
		wantEqual(t, "share", p.shareTime(), want)
	}
}

// A campaign whose priority changes joins the others where they are, and has no claim on the past.
func TestPriorityChanges(t *testing.T) {
	turns, now := scheduler{flows: map[string]*flow{}}, time.Now()
	for _, p := range []Push{{Campaign: "low", Priority: 1}, {Campaign: "high", Priority: 5}} {
		turns.push(turns.flowOf(p, now), &waiter{})
	}
	turns.class(5).now = 100
	wantEqual(t, "pass", turns.flowOf(Push{Campaign: "low", Priority: 5}, now).pass, 100)
	wantEqual(t, "classes", len(turns.classes), 1)
}
