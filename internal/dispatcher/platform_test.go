package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// mixed is an audience of pairs, one of each platform.
func mixed(pairs int) (elements []string) {
	for i := range pairs {
		for _, platform := range []string{"android", "ios"} {
			elements = append(elements, fmt.Sprintf(`{"userId":"%[1]s%04[2]d","fcmToken":"%[1]s-%04[2]d","platform":"%[1]s"}`, platform, i))
		}
	}
	return elements
}

// sentTo counts the requests to a platform of such an audience.
func (f *fakeSender) sentTo(platform string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, token := range f.order {
		if strings.HasPrefix(token, platform) {
			n++
		}
	}
	return n
}

// A platform whose keys are refused is kept back while the others are served, and comes back when
// the campaign is resumed.
func TestPlatformIsKeptBack(t *testing.T) {
	const pairs = 150
	w := newWorld(t)
	w.useBreakers()
	w.options.Retry.KeptBack = 4 * time.Second // twice as long at most, which is before the time that Redis is told below
	w.campaign(campaign.Spec{ID: "42"}, mixed(pairs)...)
	var mended mended
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if strings.HasPrefix(token, "ios") && !mended.yet() {
			return fcm.Answer{Class: fcm.ThirdPartyAuth, Code: "THIRD_PARTY_AUTH_ERROR", HTTPStatus: 401}
		}
		return accepted(ctx, token)
	}
	d := w.dispatcher()
	stop := w.serve(d)
	defer stop()
	w.eventually(func() bool { return w.books("42").Sent == pairs })
	refused := w.sender.sentTo("ios")
	b := w.books("42")
	if w.stateOf("42") != campaign.Running || b.Failed != int64(refused) || refused > canary || !b.IsBalanced() {
		t.Errorf("books %+v of a %s campaign, %d of ios refused: want it to run, and all of ios beyond the canary kept", b, w.stateOf("42"), refused)
	}
	if reason := w.breakerOf("42").Paused["ios"]; !strings.Contains(reason, "third_party_auth") {
		t.Errorf("ios is kept back for %q", reason)
	}
	mended.now()
	if err := w.deps.Breakers.Reset(t.Context(), w.list("42")); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() bool {
		camp := d.roster.get("42")
		return camp != nil && camp.paused.Load() != nil && !camp.isPlatformPaused("ios")
	})
	w.redis.SetTime(time.Now().Add(10 * time.Second)) // the new canary waits until no one trusts the old one
	w.eventually(func() bool { return w.books("42").Sent == int64(2*pairs-refused) })
	for user, r := range w.results() {
		if r.Attempts != 1 {
			t.Errorf("%s ended after %d attempts, want one: being kept back counts as none", user, r.Attempts)
		}
	}
}

// Anyone who waits for the pace when their platform is kept back is not sent to either.
func TestHeldPlatformIsKeptBack(t *testing.T) {
	const pairs = 20
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, mixed(pairs)...)
	w.options.Concurrency = 2 * canary
	w.options.Retry.KeptBack = time.Hour
	release := make(chan struct{})
	pacer := &fakePacer{may: func(_ context.Context, _ int64) error {
		<-release
		return nil
	}}
	w.deps.Pacer = pacer
	d := w.dispatcher()
	stop := w.serve(d)
	w.eventually(func() bool { return pacer.waits.Load() >= canary })
	if err := w.deps.Breakers.PausePlatform(t.Context(), w.list("42"), "ios", "its keys are old"); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() bool { camp := d.roster.get("42"); return camp != nil && camp.isPlatformPaused("ios") })
	close(release)
	w.eventually(func() bool { b := w.books("42"); return b.Sent == pairs && b.Retrying == pairs })
	stop()
	if n := w.sender.sentTo("ios"); n != 0 {
		t.Errorf("%d of ios were sent to, want none", n)
	}
}

// Anyone who is kept back takes nothing of the quota.
func TestKeptBackPlatformTakesNoTurn(t *testing.T) {
	const pairs = 20
	w := newWorld(t)
	w.useBreakers()
	w.options.Retry.KeptBack = time.Hour
	w.campaign(campaign.Spec{ID: "42"}, mixed(pairs)...)
	if err := w.deps.Breakers.PausePlatform(t.Context(), w.list("42"), "ios", "its keys are old"); err != nil {
		t.Fatal(err)
	}
	pacer := &fakePacer{}
	w.deps.Pacer = pacer
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { b := w.books("42"); return b.Sent == pairs && b.Retrying == pairs })
	stop()
	if waits := pacer.waits.Load(); waits != pairs {
		t.Errorf("the pacer was asked %d times, want once for each of android, %d", waits, pairs)
	}
}

// withDeletions gives the world a real breaker of deletions, and time before its budget begins
// again.
func (w *world) withDeletions(least int64, share float64) {
	w.t.Helper()
	rdb := must(w.client())(w.t)
	servers.AvoidHourChange(w.t, rdb)
	o := breaker.DeletionsOptions{Least: least, Share: share, Logger: slog.New(slog.DiscardHandler)}
	w.deps.Deletions = must(breaker.NewDeletions(rdb, w.deps.Names.Project("p"), o))(w.t)
}

// dead is an audience of n whose tokens are stored, and unknown to FCM.
func (w *world) dead(n int) (elements []string) {
	for i := range n {
		w.redis.Set(fmt.Sprintf("user:dead%03d:token", i), fmt.Sprintf("dead-%03d", i))
		elements = append(elements, fmt.Sprintf(`{"userId":"dead%03d"}`, i))
	}
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if strings.HasPrefix(token, "dead") {
			return fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404}
		}
		return accepted(ctx, token)
	}
	return elements
}

// keptTokens counts the dead tokens that are still stored, and checks that each result tells the
// truth about its own.
func (w *world) keptTokens(n int) (kept int) {
	w.t.Helper()
	results := w.results()
	for i := range n {
		user := fmt.Sprintf("dead%03d", i)
		r, stored := results[user], w.redis.Exists("user:"+user+":token")
		if r.Status != notification.StatusFailed || r.ErrorCode != "UNREGISTERED" || r.TokenRemoved == stored {
			w.t.Errorf("%s: %+v, and its token is stored: %v", user, r, stored)
		}
		if stored {
			kept++
		}
	}
	return kept
}

// More tokens die than any sound audience loses: those beyond the budget are kept, and their users'
// results say so.
func TestDeletionsOverBudgetAreWithheld(t *testing.T) {
	const n, budget = 60, 10
	w := newWorld(t)
	w.withDeletions(budget, 0)
	w.campaign(campaign.Spec{ID: "42"}, w.dead(n)...)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	if kept := w.keptTokens(n); kept != n-budget {
		t.Errorf("%d tokens are kept, want all but the budget of %d", kept, budget)
	}
	if b := w.books("42"); b.Failed != n || !b.IsBalanced() || b.TokensKept != n-budget || b.Codes["failed:UNREGISTERED"] != n {
		t.Errorf("books %+v", b)
	}
	state := must(w.deps.Deletions.State(t.Context()))(t)
	if state.Taken != budget {
		t.Errorf("state %+v, want the whole budget taken", state)
	}
}

// Anyone who has a fresher token gets the message by that, though the dead one may not be removed.
func TestWithheldDeletionTriesTheStoredToken(t *testing.T) {
	w := newWorld(t)
	w.withDeletions(0, 0)
	w.dead(1)
	w.redis.Set("user:1:token", "fresh")
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"1","fcmToken":"dead-x"}`, `{"userId":"dead000","fcmToken":"dead-y"}`)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	results := w.results()
	if r := results["1"]; r.Status != notification.StatusSent || r.TokenRemoved {
		t.Errorf("with a fresh token stored: %+v", r)
	}
	if r := results["dead000"]; r.ErrorCode != "UNREGISTERED" || r.TokenRemoved || r.Attempts != 2 {
		t.Errorf("with another dead one stored: %+v", r)
	}
	if !w.redis.Exists("user:dead000:token") {
		t.Error("the stored token is gone, without a budget")
	}
}

// The answers of all campaigns are what the budget is a share of.
func TestAnswersAreNotedForDeletions(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.withDeletions(0, 1)
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	must(w.deps.Deletions.Take(t.Context()))(t) // tells what was noted
	if state := must(w.deps.Deletions.State(t.Context()))(t); state.Answers != 200 {
		t.Errorf("state %+v, want 200 answers", state)
	}
}

// While no one can be asked about a dead token, it is kept and its user waits: then no one knows of
// another token either.
func TestDeletionsAreWithheldWhileRedisIsAway(t *testing.T) {
	w := newWorld(t)
	w.withDeletions(1000, 0)
	w.campaign(campaign.Spec{ID: "42"}, w.dead(1)...)
	w.options.Retry.Outage, w.options.Retry.MinBackoff = time.Millisecond, time.Millisecond
	answer := w.sender.answer
	var away atomic.Bool
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if !away.Swap(true) {
			w.redis.SetError("BUSY Redis is away")
		} else {
			w.redis.Set("user:dead000:token", "fresh")
		}
		return answer(ctx, token)
	}
	var lines syncBuffer
	w.deps.Logger = daemonLog(&lines)
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return away.Load() && len(lines.with("Redis write failed")) > 0 })
	w.redis.SetError("")
	w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
	stop()
	if r := w.results()["dead000"]; r.Status != notification.StatusSent || r.Attempts != 3 {
		t.Errorf("%+v, want it sent to the token that came meanwhile", r)
	}
}
