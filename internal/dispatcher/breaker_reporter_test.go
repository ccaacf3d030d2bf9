package dispatcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/keys"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
)

// canary is the size of a canary in these tests.
const canary = 20

// useBreakers gives the world real breakers, whose canary is small.
func (w *world) useBreakers() breaker.Options {
	w.t.Helper()
	o := breaker.DefaultOptions()
	o.Canary = canary
	w.deps.Breakers = must(breaker.New(must(w.client())(w.t), o))(w.t)
	return o
}

// list is what names a campaign's breaker.
func (w *world) list(id string) keys.List {
	w.t.Helper()
	return must(w.deps.Names.Campaign(id))(w.t)
}

func (w *world) stateOf(id string) campaign.State {
	w.t.Helper()
	return must(w.deps.Campaigns.Get(w.t.Context(), id))(w.t).State
}

func (w *world) breakerOf(id string) breaker.State {
	w.t.Helper()
	return must(w.deps.Breakers.State(w.t.Context(), w.list(id)))(w.t)
}

// waiting lists the users that wait, in the order in which they will be served.
func (w *world) waiting(id string) (users []string) {
	w.t.Helper()
	for _, key := range []string{"{campaign:" + id + "}:back", "campaign:" + id} {
		if !w.redis.Exists(key) {
			continue
		}
		for _, element := range must(w.redis.List(key))(w.t) {
			var recipient struct{ UserID string }
			if err := json.Unmarshal([]byte(element[strings.IndexByte(element, '{'):]), &recipient); err != nil {
				w.t.Fatal(err)
			}
			users = append(users, recipient.UserID)
		}
	}
	return users
}

// refuse answers everyone alike.
func refuse(a fcm.Answer) func(context.Context, string) fcm.Answer {
	return func(context.Context, string) fcm.Answer { return a }
}

var wrongMessage = fcm.Answer{Class: fcm.BadMessage, Code: "INVALID_ARGUMENT", Field: "message.android.ttl", Detail: "not a duration", HTTPStatus: 400}

// However many slots and processes there are, no one but the canary is sent to before its answers
// are in.
func TestNobodyPassesTheCanary(t *testing.T) {
	w := newWorld(t)
	o := w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, audience(400)...)
	answers := make(chan struct{})
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		<-answers
		return accepted(ctx, token)
	}
	stopFirst := w.serve(w.dispatcher())
	w.deps.Breakers = must(breaker.New(must(w.client())(t), o))(t) // those of another process
	stopSecond := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.sender.total() >= canary })
	asked := w.redis.CommandCount()
	w.eventually(func() bool { return w.redis.CommandCount() > asked+100 })
	if n := w.sender.total(); n != canary {
		t.Errorf("%d pushes before any answer, want the canary of %d", n, canary)
	}
	close(answers)
	w.eventually(func() bool { return w.books("42").Sent == 400 })
	stopFirst()
	stopSecond()
	w.sender.each(t, 400, 1)
}

// A message that FCM refuses is sent to no one beyond the canary, by whichever process, and the
// others wait as before.
func TestWrongMessageStopsWithinTheCanary(t *testing.T) {
	w := newWorld(t)
	o := w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, audience(400)...)
	w.sender.answer = refuse(wrongMessage)
	stop := w.serve(w.dispatcher())
	w.deps.Breakers = must(breaker.New(must(w.client())(t), o))(t)
	ended, paused := errors.AsType[*EndedError](w.job("42"))
	stop()
	if !paused || ended.State != campaign.Paused || !strings.Contains(ended.Reason, "bad_message") {
		t.Fatalf("ended with %v, want paused for a bad message", ended)
	}
	n := w.sender.total()
	if n > canary || n < int(o.Impersonal.Least) {
		t.Errorf("%d pushes, want at most the canary of %d", n, canary)
	}
	b := w.books("42")
	if !b.IsBalanced() || b.InFlight != 0 || b.Failed != int64(n) || b.Waiting != int64(400-n) {
		t.Errorf("books %+v after %d pushes, want the others to wait", b, n)
	}
	if left := w.waiting("42"); !slices.IsSorted(left) || len(left) != 400-n {
		t.Errorf("%d wait in the order %v, want %d in the old one", len(left), left, 400-n)
	}
	if s := w.breakerOf("42"); s.Standing || s.Last == nil || s.Last.Kind != breaker.BadMessage {
		t.Errorf("breaker %+v, want a trip that was acted on", s)
	}
}

// A message that is correct by now begins with a canary of its own.
func TestResumedCampaignBeginsWithACanary(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	w.sender.answer = refuse(wrongMessage)
	if _, paused := errors.AsType[*EndedError](w.job("42")); !paused {
		t.Fatal("the campaign is not paused")
	}
	before, answers := w.sender.total(), make(chan struct{})
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		<-answers
		return accepted(ctx, token)
	}
	w.resume("42")
	w.options.Campaign = ""
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.sender.total() >= before+canary })
	asked := w.redis.CommandCount()
	w.eventually(func() bool { return w.redis.CommandCount() > asked+100 })
	if n := w.sender.total() - before; n != canary {
		t.Errorf("%d pushes before any answer, want a canary of %d", n, canary)
	}
	close(answers)
	w.eventually(func() bool { return w.books("42").Sent == int64(200-before) })
	stop()
	w.sender.each(t, 200, 1)
}

// resume does what "fanfare campaign resume" does.
func (w *world) resume(id string) {
	w.t.Helper()
	if err := w.deps.Breakers.Reset(w.t.Context(), w.list(id)); err != nil {
		w.t.Fatal(err)
	}
	if err := w.deps.Campaigns.Move(w.t.Context(), id, campaign.Running, ""); err != nil {
		w.t.Fatal(err)
	}
}

// Tokens of another project are alive there.
func TestAnotherProjectsAudienceLosesNoToken(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, audience(400)...)
	for i := range 400 {
		w.redis.Set(fmt.Sprintf("user:u%04d:token", i), fmt.Sprintf("token-%04d", i))
	}
	w.sender.answer = refuse(fcm.Answer{Class: fcm.SenderMismatch, Code: "SENDER_ID_MISMATCH", HTTPStatus: 403})
	ended, paused := errors.AsType[*EndedError](w.job("42"))
	if !paused || !strings.Contains(ended.Reason, "sender_mismatch") {
		t.Fatalf("ended with %v, want paused for a sender mismatch", ended)
	}
	if n := w.sender.total(); n > canary {
		t.Errorf("%d pushes, want at most the canary of %d", n, canary)
	}
	for i := range 400 {
		if !w.redis.Exists(fmt.Sprintf("user:u%04d:token", i)) {
			t.Errorf("the token of u%04d is gone", i)
		}
	}
	for user, r := range w.results() {
		if r.TokenRemoved {
			t.Errorf("the result of %s says that its token was removed", user)
		}
	}
}

// Places in the canary that need no push are given back: an audience that cannot be read must not
// fill it for ever.
func TestPlacesWithoutAPushAreGivenBack(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	var elements []string
	for i := range 5 * canary {
		elements = append(elements, fmt.Sprintf(`{"userId":"nobody%d"}`, i), `{"userId":`, fmt.Sprintf(`{"userId":"big%d","pad":"%s"}`, i, strings.Repeat("x", queue.DefaultMaxElement)))
	}
	w.campaign(campaign.Spec{ID: "42"}, append(elements, audience(2*canary)...)...)
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.books("42").CountEnded() == 17*canary }) // long before a lease is over
	stop()
	if b := w.books("42"); b.Sent != 2*canary || b.Skipped != 5*canary || b.Failed != 10*canary {
		t.Errorf("books %+v", b)
	}
}

// Places in the canary for which a claim found no one are given back at once: a campaign that is
// loaded slowly, or by several processes, must not wait until a lease is over.
func TestPlacesThatNobodyFillsAreGivenBack(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.useBreakers()
		w.options.Poll = time.Hour
		w.campaign(campaign.Spec{ID: "42"}, audience(5)...)
		release := make(chan struct{})
		w.deps.Pacer = holdAll(release)
		stop := w.serve(w.dispatcher())
		<-time.After(time.Second)
		if s := w.breakerOf("42"); s.Canary.Outstanding != 5 {
			t.Errorf("%d places in the canary are taken, want those of the five recipients", s.Canary.Outstanding)
		}
		close(release)
		synctest.Wait()
		stop()
	})
}

// What belongs to an older round than the newest is of no use, whichever is told first.
func TestAnswersOfTheNewestRoundCount(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	finder := d.discoverer
	if err := finder.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	camp := d.roster.get("42")
	for _, round := range []int64{1, 2, 1, 2} {
		d.reporter.countEnded(&lease{Lease: leasekeeper.Lease{Claim: fmt.Sprint(round)}, camp: camp, round: round}, 5)
	}
	if report := d.reporter.pending[camp]; report.Round != 2 || report.Ended["2"] != 10 || report.Ended["1"] != 0 {
		t.Errorf("report %+v, want ten of round 2 alone", report)
	}
}

// Anyone who waits in the canary for longer than a lease keeps their place: no one else is admitted
// to it.
func TestHeldPlacesAreKept(t *testing.T) {
	w := newWorld(t)
	o := breaker.DefaultOptions()
	o.Canary, o.Lease = canary, time.Second
	w.deps.Breakers = must(breaker.New(must(w.client())(t), o))(t)
	w.options.Lease = 500 * time.Millisecond
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	pacer := newGate()
	w.deps.Pacer = pacer
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return pacer.waits.Load() == canary })
	held := time.Now()
	w.eventually(func() bool { return time.Since(held) > o.Lease+o.Lease/2 })
	if waits, s := pacer.waits.Load(), w.breakerOf("42"); waits != canary || s.Canary.Outstanding != canary {
		t.Errorf("%d wait for their turn with %d places taken, want the canary of %d", waits, s.Canary.Outstanding, canary)
	}
	stop()
}
