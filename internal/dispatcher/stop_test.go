package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

// A second signal ends pushes on the wire: no one knows whether they arrived, and no one is lost.
func TestWorkEndsInMidFlight(t *testing.T) {
	for mode, again := range map[campaign.OnAmbiguous]int{campaign.Resend: 2, campaign.Report: 1} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			w.options.Concurrency, w.options.Campaign = 10, "42"
			w.campaign(campaign.Spec{ID: "42", OnAmbiguous: mode}, audience(30)...)
			onTheWire := make(chan struct{}, 10)
			w.sender.answer = func(ctx context.Context, _ string) fcm.Answer {
				onTheWire <- struct{}{}
				<-ctx.Done()
				return fcm.Answer{Class: fcm.Ambiguous, Detail: "no answer"}
			}
			fetch, stop := context.WithCancel(t.Context())
			work, end := context.WithCancel(t.Context())
			defer end()
			ended := make(chan error)
			go func() { ended <- w.dispatcher().Run(fetch, work) }()
			for range 10 {
				<-onTheWire
			}
			stop()
			end()
			if err := servers.Receive(t, "end of the dispatcher", ended); !errors.Is(err, ErrLeftover) {
				t.Fatalf("ended with %v, want ErrLeftover", err)
			}
			b := w.books("42")
			if !b.IsBalanced() || b.InFlight != 0 || b.Waiting != 20 || b.Unknown+b.Retrying != 10 {
				t.Fatalf("books %+v, want 20 waiting and 10 unknown or to be sent again", b)
			}
			makeDue(w, "42")
			w.sender.answer = accepted
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			for i := range 30 {
				want := 1
				if i < 10 {
					want = again
				}
				if n := w.sender.requests(fmt.Sprintf("token-%04d", i)); n != want {
					t.Errorf("token-%04d was sent to %d times, want %d", i, n, want)
				}
			}
		})
	}
}

// makeDue spares a test the wait for its retries.
func makeDue(w *world, id string) {
	key := "{campaign:" + id + "}:retry"
	if !w.redis.Exists(key) {
		return
	}
	for _, member := range must(w.redis.ZMembers(key))(w.t) {
		w.redis.ZAdd(key, 1, member)
	}
}

// A campaign whose outcomes cannot be written is paused, and anyone who was sent to does not go
// back as if unsent.
func TestUnwritableOutcomesPauseTheCampaign(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, audience(100)...)
	w.options.Concurrency, w.options.Claim, w.options.AckBatch = 10, 10, 1
	w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
		if nth == 1 {
			w.eventually(func() bool { return w.books("42").InFlight == 15 }) // in a lease of ten and one of five
			w.redis.Set("{campaign:42}:outbox", "a string")
			return nil
		}
		<-ctx.Done() // the rest of the lease goes back unsent, when the campaign is paused
		return ctx.Err()
	}}
	err := w.job("42") // of the pause, or of a claim that is refused as the write is
	if state := w.stateOf("42"); err == nil || state != campaign.Paused {
		t.Fatalf("ended with %v, and is %s, want paused", err, state)
	}
	w.redis.Del("{campaign:42}:outbox")
	if b := w.books("42"); b.InFlight != 10 && b.InFlight != 5 || b.InFlight+b.Waiting != 100 {
		t.Errorf("books %+v, want all back but one lease, of which an outcome is not written", b)
	}
	w.deps.Pacer = nil
	for _, claim := range must(w.redis.ZMembers("{campaign:42}:leases"))(t) {
		w.redis.ZAdd("{campaign:42}:leases", 1, claim)
	}
	if err := w.deps.Campaigns.Move(t.Context(), "42", campaign.Running, ""); err != nil {
		t.Fatal(err)
	}
	must(must(w.deps.Campaigns.Queue("42"))(t).Reap(t.Context()))(t)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	for token, n := range w.sender.sent {
		if n != 1 {
			t.Errorf("%s was sent to %d times", token, n)
		}
	}
	if b := w.books("42"); !b.IsBalanced() || b.Unknown == 0 || b.Unknown+b.Sent != 100 {
		t.Errorf("books %+v", b)
	}
}

func TestSmallCampaignDoesNotWaitBehindABigOne(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 20, 5
	var small []string
	for i := range 20 {
		small = append(small, fmt.Sprintf(`{"userId":"s%d","fcmToken":"small"}`, i))
	}
	w.campaign(campaign.Spec{ID: "big"}, audience(2000)...)
	w.campaign(campaign.Spec{ID: "small", Dedupe: campaign.DedupeNone}, small...)
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.books("small").Sent == 20 && w.books("big").Sent == 2000 })
	stop()
	last := 0
	for i, token := range w.sender.order {
		if token == "small" {
			last = i + 1
		}
	}
	if last > 1000 {
		t.Errorf("the small campaign's last push was the %d-th of 2020", last)
	}
}

// What FCM has not got when a stop ends the work, or before, goes back as if it had never been
// tried.
func TestUnsentGoesBackAtAStop(t *testing.T) {
	for name, endWork := range map[string]bool{"while pushes may finish": false, "when they are cut off": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.options.Campaign = "42"
				w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
				unreachable := make(chan struct{})
				w.sender.answer = func(ctx context.Context, _ string) fcm.Answer {
					select {
					case <-ctx.Done():
					case <-unreachable:
					}
					return fcm.Answer{Class: fcm.NotSent, Detail: "no connection"}
				}
				fetch, stop := context.WithCancel(t.Context())
				work, end := context.WithCancel(t.Context())
				defer end()
				ended := make(chan error, 1)
				go func() { ended <- w.dispatcher().Run(fetch, work) }()
				synctest.Wait()
				stop()
				if endWork {
					end()
				} else {
					close(unreachable)
				}
				if err := servers.Receive(t, "end of the dispatcher", ended); !errors.Is(err, ErrLeftover) {
					t.Fatalf("ended with %v, want ErrLeftover", err)
				}
				w.wantWaiting("42", audience(10))
				if b := w.books("42"); b.Waiting != 10 || b.Retrying != 0 {
					t.Errorf("books %+v, want all ten waiting and nobody to be tried again", b)
				}
			})
		})
	}
}

// A stop cuts look-ups off. Their recipients go back and wait for no fault.
func TestStopDuringALookUpGivesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, slowSource{}, tokens.Options{}))(t)
		people := audience(6)
		for i := range people {
			people[i] = people[i][:len(`{"userId":"u0000"`)] + "}"
		}
		w.campaign(campaign.Spec{ID: "42"}, people...)
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		stop()
		w.wantWaiting("42", people)
		if b := w.books("42"); b.Retrying != 0 {
			t.Errorf("books %+v, want nobody to be tried again", b)
		}
	})
}

// slowSource is a database that does not answer.
type slowSource struct{}

func (slowSource) Tokens(ctx context.Context, _ []string) (map[string]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
