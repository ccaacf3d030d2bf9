package dispatcher

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/servers"
)

// reply is an error that Redis answers with.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

const errCrossSlot = reply("CROSSSLOT Keys in request don't hash to the same slot")

// between stands between a client and Redis: it may run a command, answer it, or lose the reply.
type between func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error

func (between) DialHook(next redis.DialHook) redis.DialHook { return next }

func (between) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (b between) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := b(ctx, cmd, next)
		cmd.SetErr(err)
		return err
	}
}

// keysOf are the keys of a script's call, without what is common to those of a campaign.
func keysOf(cmd redis.Cmder) string {
	args := cmd.Args()
	if !strings.HasPrefix(cmd.Name(), "eval") {
		return ""
	}
	var names []string
	for _, key := range args[3 : 3+args[2].(int)] {
		name, ok := key.(string)
		if !ok {
			name = *key.(*string)
		}
		names = append(names, strings.TrimPrefix(name, "{campaign:42}:"))
	}
	return strings.Join(names, " ")
}

// campaignsBehind gives the world campaigns whose commands pass the hook.
func (w *world) campaignsBehind(hook between) {
	w.t.Helper()
	rdb := must(w.client())(w.t)
	rdb.AddHook(hook)
	w.deps.Campaigns = must(campaign.New(rdb, w.deps.Names, campaign.Options{}))(w.t)
}

// Outcomes are refused for good, and so is the pause: the campaign is served again, and continues
// once they can be written.
func TestRefusedPauseDoesNotStrandTheCampaign(t *testing.T) {
	w := newWorld(t)
	var refused, paused atomic.Int64
	w.campaignsBehind(func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
		switch keys := keysOf(cmd); {
		case strings.HasPrefix(keys, "leases retry counts") && refused.Add(1) == 1:
			return errCrossSlot
		case strings.HasPrefix(keys, "spec counts") && slices.Contains(cmd.Args(), any(string(campaign.Paused))) && paused.Add(1) == 1:
			return errCrossSlot
		}
		return next(ctx, cmd)
	})
	w.campaign(campaign.Spec{ID: "42"})
	must(w.redis.RPush("campaign:42", audience(100)...))(t)
	w.options.Concurrency, w.options.Claim = 10, 10
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { b := w.books("42"); return b.Waiting == 0 && b.InFlight <= 10 })
	stop()
	if b := w.books("42"); b.Sent < 88 || !b.IsBalanced() || paused.Load() == 0 {
		t.Errorf("books %+v, %d pauses, want all sent to but those of the lease that was refused", b, paused.Load())
	}
}

// unansweredClaim gives the world a campaign whose first claim takes all 20 recipients and loses
// its replies. They cannot be given back before the signal.
func (w *world) unansweredClaim(reachable *atomic.Bool) (claimed func() bool) {
	w.t.Helper()
	var claims atomic.Int64
	w.campaignsBehind(func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
		keys := keysOf(cmd)
		if strings.HasPrefix(keys, "leases back counts") && !reachable.Load() {
			return io.EOF
		}
		err := next(ctx, cmd)
		if err == nil && strings.HasPrefix(keys, "campaign:42 back retry") && strings.HasSuffix(keys, "counts outbox spec") && claims.Add(1) == 1 {
			return io.EOF
		}
		return err
	})
	w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, audience(20)...)
	return func() bool { return claims.Load() > 0 }
}

// The replies to a claim are lost. Its recipients are given back, and not reaped as lost.
func TestClaimWithoutAReplyIsGivenBack(t *testing.T) {
	t.Run("before the next claim", func(t *testing.T) {
		w := newWorld(t)
		var reachable atomic.Bool
		claimed := w.unansweredClaim(&reachable)
		ended := make(chan error)
		go func() { ended <- w.job("42") }()
		w.eventually(claimed)
		reachable.Store(true)
		if err := servers.Receive(t, "end of the dispatcher", ended); err != nil {
			t.Fatal(err)
		}
		w.sender.each(t, 20, 1)
	})
	t.Run("in a pause", func(t *testing.T) {
		w := newWorld(t)
		var reachable atomic.Bool
		claimed := w.unansweredClaim(&reachable)
		d := w.dispatcher()
		stop := w.serve(d)
		w.eventually(claimed)
		if err := w.deps.Campaigns.Move(t.Context(), "42", campaign.Paused, ""); err != nil {
			t.Fatal(err)
		}
		w.eventually(func() bool { return d.roster.get("42") == nil })
		reachable.Store(true)
		w.eventually(func() bool { b := w.books("42"); return b.Waiting == 20 && b.Lost == 0 })
		stop()
	})
	t.Run("at a stop", func(t *testing.T) {
		w := newWorld(t)
		var reachable atomic.Bool
		claimed := w.unansweredClaim(&reachable)
		fetch, stop := context.WithCancel(t.Context())
		ended, d := make(chan error), w.dispatcher()
		go func() { ended <- d.Run(fetch, t.Context()) }()
		w.eventually(claimed)
		stop()
		reachable.Store(true)
		if err := servers.Receive(t, "end of the dispatcher", ended); err != nil {
			t.Fatal(err)
		}
		if b := w.books("42"); b.Waiting != 20 || b.InFlight != 0 || b.Lost != 0 {
			t.Errorf("books %+v, want everybody back", b)
		}
	})
}

// heldBy makes a dispatcher whose Redis is the hook alone, with a lease of each campaign.
func heldBy(t *testing.T, hook between, ids ...string) (*Dispatcher, map[string]*lease) {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = rdb.Close() })
	rdb.AddHook(hook)
	d := must(New(Deps{
		Names: keys.Default(), Breakers: must(breaker.New(rdb, breaker.DefaultOptions()))(t), Logger: slog.New(slog.DiscardHandler),
	}, DefaultOptions()))(t)
	leases := make(map[string]*lease)
	for _, id := range ids {
		list := must(keys.Default().Campaign(id))(t)
		camp := &activeCampaign{id: id, queue: must(queue.New(rdb, list, queue.Options{}))(t)}
		camp.applySpec(campaign.Spec{})
		leases[id] = newLease(camp)
		leases[id].ExtendTo(time.Now().Add(time.Second))
		d.leases.Add(leases[id])
	}
	return d, leases
}

// What a process may send is extended before its places in the canary.
func TestLeasesAreExtendedBeforePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		d, _ := heldBy(t, func(_ context.Context, cmd redis.Cmder, _ redis.ProcessHook) error {
			asked = append(asked, keysOf(cmd))
			cmd.(*redis.Cmd).SetVal([]any{})
			return nil
		}, "42")
		d.extender.Extend(t.Context())
		if !slices.Equal(asked, []string{"leases", "breaker"}) {
			t.Errorf("extended %q, want the leases first", asked)
		}
	})
}
