package operator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/audience"
	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/schedule"
)

// A campaign that a breaker paused is resumed with a canary and on all platforms, and shows both.
func TestStartBeginsWithACanary(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	ok(t, o.Create(ctx, campaign.Spec{ID: "42", Message: notification.Message(`{"notification":{"title":"Hello"}}`)}))
	ok(t, o.Start(ctx, "42", StartOptions{Reason: ""}))
	list, err := o.deps.Names.Campaign("42")
	ok(t, err)
	admitted, err := o.deps.Breakers.Admit(ctx, list, "claim", 10)
	ok(t, err)
	equal(t, "admitted", admitted.N, 10)
	ok(t, o.deps.Breakers.PausePlatform(ctx, list, "ios", "APNs refuses the key"))

	view, err := o.Show(ctx, "42")
	ok(t, err)
	equal(t, "on the way", view.Breaker.Canary.Outstanding, 10)
	equal(t, "reason", view.Breaker.Paused["ios"], "APNs refuses the key")

	ok(t, o.Start(ctx, "42", StartOptions{Reason: "the key is renewed"}))
	view, err = o.Show(ctx, "42")
	ok(t, err)
	equal(t, "state", view.Spec.State, campaign.Running)
	equal(t, "paused platforms", len(view.Breaker.Paused), 0)
	equal(t, "canary", view.Breaker.Canary, breaker.Canary{Size: 100})
}

// A campaign with missing recipients does not start, until they are loaded again or given up.
func TestStartRefusesWithoutTheMissing(t *testing.T) {
	f := open(t)
	ctx := t.Context()
	incomplete := func(id string) *IncompleteError {
		t.Helper()
		err, _ := errors.AsType[*IncompleteError](f.Start(ctx, id, StartOptions{}))
		return err
	}
	for _, id := range []string{"again", "without"} {
		f.create(id)
		f.load(id, audienceOf(10), LoadOptions{Format: audience.CSV})
		ok(t, f.rdb.Del(ctx, "campaign:"+id).Err())
		refused := incomplete(id)
		if refused == nil {
			t.Fatalf("%s started without its audience", id)
		}
		mentions(t, refused, "10 of 10 recipients went missing in Redis", "fanfare load "+id+" FILE")
		equal(t, "state", f.state(id), campaign.Draft)
		equal(t, "shown", len(f.show(id).Losses()), 1)
	}
	f.load("again", audienceOf(10), LoadOptions{Format: audience.CSV})
	ok(t, f.Start(ctx, "again", StartOptions{}))
	equal(t, "balanced", f.show("again").Books.IsBalanced(), true)

	ok(t, f.Start(ctx, "without", StartOptions{Partial: true}))
	ok(t, f.deps.Campaigns.Move(ctx, "without", campaign.Paused, ""))
	ok(t, f.Start(ctx, "without", StartOptions{})) // they were given up before
	equal(t, "balanced", f.show("without").Books.IsBalanced(), false)
}

// A platform is paused only while the campaign runs: a start includes all platforms.
func TestAPlatformIsPausedWhileItRuns(t *testing.T) {
	f := open(t)
	f.create("42")
	mentions(t, f.PausePlatform(t.Context(), "42", "ios", ""), "campaign 42 is draft: pause a platform only while it runs")
	ok(t, f.Start(t.Context(), "42", StartOptions{}))
	ok(t, f.PausePlatform(t.Context(), "42", "ios", ""))
	equal(t, "reason", f.show("42").Breaker.Paused["ios"], "paused by an operator")
}

// An interrupted load prevents a start too.
func TestStartRefusesAnInterruptedLoad(t *testing.T) {
	f := open(t)
	ctx := t.Context()
	f.create("42")
	l, err := f.deps.Campaigns.Load(ctx, "42", false)
	ok(t, err)
	ok(t, l.Append(ctx, [][]byte{[]byte(`{"userId":"u0"}`)}))
	refused, is := errors.AsType[*IncompleteError](f.Start(ctx, "42", StartOptions{}))
	if !is {
		t.Fatal("it started in the middle of a load")
	}
	mentions(t, refused, "a load is running or was just interrupted; 1 recipient so far", "fanfare load 42 FILE")
	ok(t, l.Abandon(ctx))
	mentions(t, f.Start(ctx, "42", StartOptions{}), "a load was interrupted after 1 recipient")
	ok(t, f.Start(ctx, "42", StartOptions{Partial: true}))
	equal(t, "losses", len(f.show("42").Losses()), 0)
}

// A resume has the recipients of a platform on hold sent to within seconds, and no one else.
func TestStartReleasesPlatforms(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42", campaign.Running)
	list, err := f.deps.Names.Campaign("42")
	ok(t, err)
	ok(t, f.deps.Breakers.PausePlatform(t.Context(), list, "ios", "APNs refuses the key"))
	later := float64(time.Now().Add(time.Hour).UnixMilli())
	held, other := `a 0 0 5 {"userId":"a","platform":"IOS"}`, `b 1 0 5 {"userId":"b","platform":"android"}`
	ok(t, f.rdb.ZAdd(t.Context(), list.Key(keys.SuffixRetry), redis.Z{Score: later, Member: held}, redis.Z{Score: later, Member: other}).Err())
	ok(t, f.Start(t.Context(), "42", StartOptions{}))
	due := func(member string) time.Duration {
		score, err := f.rdb.ZScore(t.Context(), list.Key(keys.SuffixRetry), member).Result()
		ok(t, err)
		return time.Until(time.UnixMilli(int64(score)))
	}
	if d := due(held); d > 2*releaseDelay {
		t.Errorf("the recipient on hold is due in %s", d)
	}
	if d := due(other); d < 30*time.Minute {
		t.Errorf("the other recipient is due in %s, want its own delay", d)
	}
}

// unknownPace cannot be read.
type unknownPace struct{}

func (unknownPace) State(context.Context) (pacing.State, error) {
	return pacing.State{}, errors.New("the quota is out of reach")
}

// A start whose waves cannot be planned is no start: no one knows whether they fit.
func TestStartNeedsThePaceOfItsWaves(t *testing.T) {
	t.Parallel()
	f := open(t)
	windows, err := schedule.ParseWindows("00:00-23:59")
	ok(t, err)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Windows: windows}))
	ok(t, f.rdb.RPush(t.Context(), "campaign:42", `{"userId":"a"}`).Err())
	start := StartOptions{Pace: func(string) PaceReader { return unknownPace{} }}
	mentions(t, f.Start(t.Context(), "42", start), "ask for the pace", "out of reach")
	view, err := f.Show(t.Context(), "42")
	ok(t, err)
	equal(t, "state", view.Spec.State, campaign.Draft)
	start.Late = true
	ok(t, f.Start(t.Context(), "42", start))
}
