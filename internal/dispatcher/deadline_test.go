package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

func TestDeadlineEndsWhoIsLeft(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(5)...)
	counts := "{campaign:42}:counts"
	past := time.Now().Add(-time.Minute).UnixMilli()
	w.redis.HSet(counts, "deadline", fmt.Sprint(past), "guard", fmt.Sprint(time.Now().Add(time.Hour).UnixMilli()))
	w.redis.SetTTL("campaign:42", time.Hour)
	if err := w.job("42"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Fatalf("ended with %v, want expired", err)
	}
	if b := w.books("42"); b.Expired != 5 || !b.IsBalanced() {
		t.Errorf("books %+v", b)
	}
	if len(w.sender.order) != 0 {
		t.Errorf("sent to %v after the deadline", w.sender.order)
	}
}

// Anyone who had a sender that was lost may have the message: the deadline makes no one of them
// expired.
func TestDeadlineAfterALostSender(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(4)...)
	w.loseLease("42", 1)
	must(must(w.deps.Campaigns.Queue("42"))(t).Reap(t.Context()))(t)
	w.loseLease("42", 2)
	deadline := time.Now().Add(-time.Minute)
	if err := w.deps.Campaigns.Change(t.Context(), "42", campaign.Change{Deadline: &deadline}); err != nil {
		t.Fatal(err)
	}
	must(must(w.deps.Campaigns.Queue("42"))(t).Reap(t.Context()))(t)
	if _, ended := errors.AsType[*EndedError](w.job("42")); !ended {
		t.Fatal("the campaign has not expired")
	}
	if b := w.books("42"); b.Unknown != 2 || b.Expired != 2 || b.Codes["unknown:"+notification.CodeOutcomeUnknown] != 2 {
		t.Errorf("books %+v, want two unknown and two expired", b)
	}
}

// The deadline comes while one who had a lost sender waits for their turn.
func TestDeadlineAfterALostSenderUnderWay(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(2)...)
	w.loseLease("42", 1)
	must(must(w.deps.Campaigns.Queue("42"))(t).Reap(t.Context()))(t)
	pacer := newGate()
	w.deps.Pacer = pacer
	d := w.dispatcher()
	stop := w.serve(d)
	w.eventually(func() bool { return pacer.waits.Load() == 2 })
	deadline := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	w.change(d, "42", campaign.Change{Deadline: &deadline}, func(t *settings) bool { return t.deadline.Equal(deadline) })
	close(pacer.let)
	w.eventually(func() bool { return w.books("42").CountEnded() == 2 })
	stop()
	if b := w.books("42"); b.Unknown != 1 || b.Expired != 1 {
		t.Errorf("books %+v, want one unknown and one expired", b)
	}
}

// Anyone who waits out a fault of ours ends with the campaign's deadline, and not only when the
// wait is over.
func TestDeadlineEndsAWaitForTheDatabase(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		const until = 3 * time.Second // the wait is 10 s
		w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, brokenSource{}, tokens.Options{}))(t)
		w.campaign(campaign.Spec{ID: "42", Deadline: time.Now().Add(until)}, `{"userId":"u1"}`, `{"userId":"u2"}`)
		stop := w.serve(w.dispatcher())
		<-time.After(until + w.options.Poll + time.Second)
		if b := w.books("42"); b.Expired != 2 || !b.IsBalanced() {
			t.Errorf("books %+v, want both expired", b)
		}
		stop()
	})
}

// brokenSource is a database that is always down.
type brokenSource struct{}

func (brokenSource) Tokens(context.Context, []string) (map[string]string, error) { return nil, errDown }
