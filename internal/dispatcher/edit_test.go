package dispatcher

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// edit replaces a message in mid-campaign, and waits until the dispatcher has taken notice, before
// the n-th request ends.
func (w *world) edit(d *Dispatcher, n int, message string, noticed func(*activeCampaign) bool) {
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if w.sender.total() == n {
			w.redis.HSet("{campaign:42}:spec", "message", message)
			w.eventually(func() bool { return noticed(d.roster.get("42")) })
		}
		return accepted(ctx, token)
	}
}

// saidFirst demands one request to each of all recipients, of which the first n alone say the first
// message.
func (w *world) saidFirst(n, all int) {
	w.t.Helper()
	w.sender.each(w.t, all, 1)
	for i, said := range w.sender.said {
		if first := strings.Contains(said, `"Hello"`); first != (i < n) {
			w.t.Errorf("request %d says the first message: %v", i+1, first)
		}
	}
}

func TestEditedMessageIsSaidFromThenOn(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(60)...)
	w.options.Concurrency = 1
	d := w.dispatcher()
	const other = `{"notification":{"title":"Other"}}`
	w.edit(d, 20, other, func(s *activeCampaign) bool { return s != nil && string(s.raw) == other })
	stop := w.serve(d)
	w.eventually(func() bool { return w.books("42").Sent == 60 })
	stop()
	w.saidFirst(20, 60)
}

// A campaign is compiled once for each edition of its message, and not with each look.
func TestCampaignIsBuiltOncePerEdition(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	finder := d.discoverer
	built := func() *activeCampaign {
		t.Helper()
		if err := finder.discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		return d.roster.get("42")
	}
	first := built()
	if again := built(); again != first || first.isClosed() {
		t.Error("built again although nothing was edited")
	}
	for _, err := range []error{
		w.deps.Campaigns.Move(t.Context(), "42", campaign.Paused, ""),
		w.deps.Campaigns.Change(t.Context(), "42", campaign.Change{Message: notification.Message(`{"notification":{"title":"Other"}}`)}),
		w.deps.Campaigns.Move(t.Context(), "42", campaign.Running, ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	edited := built()
	if edited == first || !first.isClosed() {
		t.Error("not built again although the message was edited")
	}
	if again := built(); again != edited || edited.isClosed() {
		t.Error("built again although nothing more was edited")
	}
}

func TestUnusableEditStopsTheCampaign(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(60)...)
	w.options.Concurrency = 1
	d := w.dispatcher()
	w.edit(d, 20, `{"title":1}`, func(s *activeCampaign) bool { return s == nil })
	stop := w.serve(d)
	w.eventually(func() bool { return w.books("42").Sent == 20 })
	stop()
	if b := w.books("42"); b.Sent != 20 || b.Waiting != 40 || !b.IsBalanced() {
		t.Errorf("books %+v, want 20 sent with the old message and 40 waiting for a new one", b)
	}
}

// A pause that is over before this process has looked for campaigns: the message that was set in it
// is said all the same.
func TestMessageSetInABriefPause(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(60)...)
	w.options.Concurrency = 1
	w.options.Discover = 300 * time.Millisecond
	const other = `{"notification":{"title":"Other"}}`
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if w.sender.total() == 20 {
			for _, err := range []error{
				w.deps.Campaigns.Move(ctx, "42", campaign.Paused, "a typing error"),
				w.deps.Campaigns.Change(ctx, "42", campaign.Change{Message: notification.Message(other)}),
				w.deps.Campaigns.Move(ctx, "42", campaign.Running, ""),
			} {
				if err != nil {
					t.Error(err)
				}
			}
		}
		return accepted(ctx, token)
	}
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.books("42").Sent == 60 })
	stop()
	w.saidFirst(20, 60)
}
