package sending

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/dispatcher"
	"fanfare/internal/fcm"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
)

// must returns a value, or ends the test for its error.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// slowFCM answers the first push a second after a stop, with a 429 of the project, and the second
// one at the end of work.
type slowFCM struct {
	pushes  atomic.Int64
	fetch   context.Context
	onReply func()
}

func (f *slowFCM) Send(ctx context.Context, _ []byte, _ notification.Target) fcm.Answer {
	if f.pushes.Add(1) > 1 {
		<-ctx.Done()
		return fcm.Answer{Class: fcm.Ambiguous}
	}
	<-f.fetch.Done()
	<-time.After(time.Second)
	f.onReply()
	return fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaProject, HTTPStatus: 429, RetryAfter: 5 * time.Minute}
}

func (*slowFCM) Validate(context.Context, []byte, notification.Target) fcm.Answer {
	return fcm.Answer{Class: fcm.Sent, HTTPStatus: 200}
}

// A 429 that arrives during a stop closes the gate of all replicas, even if Redis is away at that
// moment: the governor runs until the last push is out. Pushes that wait for their pace are given
// back at once.
func TestGovernorRunsUntilTheLastPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))) // campaigns are not older than Fanfare
		server := miniredis.NewMiniRedis()
		t.Cleanup(server.Close)
		rdb := redis.NewClient(&redis.Options{
			Addr:   "127.0.0.1:1", // never dialed
			Dialer: func(context.Context, string, string) (net.Conn, error) { return server.Dial() },
		})
		t.Cleanup(func() { _ = rdb.Close() })
		fetchCtx, stop := context.WithCancel(t.Context())
		workCtx, endWork := context.WithCancel(t.Context())
		defer endWork()
		sender := &slowFCM{fetch: fetchCtx, onReply: func() { server.SetError("LOADING Redis is away") }}
		names := keys.Default()
		governor := must(pacing.New(rdb, names.Project("demo"), pacing.DefaultOptions()))(t)
		campaigns := must(campaign.New(rdb, names, campaign.Options{}))(t)
		options := dispatcher.DefaultOptions()
		options.Concurrency = 10
		d := &Dispatcher{governor: governor, Dispatcher: must(dispatcher.New(dispatcher.Deps{
			Names: names, Campaigns: campaigns, Sender: sender, Pacer: governor, Halter: governor,
			Tokens:     must(tokens.New(rdb, names, nil, tokens.Options{}))(t),
			Profiles:   must(profiles.New(rdb, names, nil, profiles.Options{}))(t),
			Suppressed: suppression.New(rdb, names, nil),
			Outbox:     must(responses.NewOutbox(rdb, names, responses.OutboxOptions{}))(t),
			Logger:     slog.New(slog.DiscardHandler),
		}, options))(t)}
		spec := campaign.Spec{ID: "42", State: campaign.Running, Message: []byte(`{"data":{"a":"b"}}`), Rate: 1}
		if err := campaigns.Create(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{"a", "b", "c"} {
			must(server.RPush("campaign:42", `{"userId":"`+token+`","fcmToken":"`+token+`"}`))(t)
		}

		ended := make(chan error, 1)
		go func() { ended <- d.Run(fetchCtx, workCtx) }()
		for sender.pushes.Load() < 2 {
			<-time.After(100 * time.Millisecond)
		}
		stop() // one of three waits for its pace
		<-time.After(500 * time.Millisecond)
		if b := must(campaigns.Books(t.Context(), "42"))(t); b.Waiting != 1 || b.InFlight != 2 {
			t.Errorf("books %+v, want the push that waited for its pace given back", b)
		}
		<-time.After(time.Second)
		server.SetError("")
		<-time.After(5 * time.Second)
		if s := must(governor.State(t.Context()))(t); !s.Gate.IsClosed(s.Now.Add(time.Minute)) {
			t.Errorf("the gate is open: %+v", s.Gate)
		}
		endWork()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
