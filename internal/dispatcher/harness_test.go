package dispatcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/internal/warnings"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const plainMessage = `{"notification":{"title":"Hello","body":"World"}}`

// world is everything around a dispatcher: a Redis, the rooms of floor 2, and FCM as a function.
type world struct {
	t       *testing.T
	redis   *miniredis.Miniredis
	dial    redis.Options // how clients reach it
	deps    Deps
	options Options
	sender  *fakeSender
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := miniredis.RunT(t)
	return worldOn(t, server, redis.Options{Addr: server.Addr()})
}

// inBubble runs a test whose clock moves only while all goroutines wait, so that it can wait for
// "nothing more happens". Its Redis is reached through memory: a goroutine that reads from a socket
// does not count as waiting.
func inBubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))) // deadlines are not from the time before Fanfare
		server := miniredis.NewMiniRedis()
		t.Cleanup(server.Close)
		w := worldOn(t, server, redis.Options{
			Addr:   "127.0.0.1:1", // never dialed: its name needs no resolver
			Dialer: func(context.Context, string, string) (net.Conn, error) { return server.Dial() },
		})
		// Ticks cost time of the CPU, and waiting costs none.
		w.options.Poll, w.options.Discover = DefaultOptions().Poll, DefaultOptions().Discover
		test(t, w)
	})
}

func worldOn(t *testing.T, server *miniredis.Miniredis, dial redis.Options) *world {
	t.Helper()
	w := &world{t: t, redis: server, dial: dial, options: DefaultOptions(), sender: &fakeSender{sent: make(map[string]int)}}
	rdb := must(w.client())(t)
	names := keys.Default()
	w.options.Poll, w.options.Discover, w.options.AckInterval = 5*time.Millisecond, 10*time.Millisecond, time.Millisecond
	w.deps = Deps{
		Names:      names,
		Campaigns:  must(campaign.New(rdb, names, campaign.Options{}))(t),
		Tokens:     must(tokens.New(rdb, names, nil, tokens.Options{}))(t),
		Profiles:   must(profiles.New(rdb, names, nil, profiles.Options{}))(t),
		Suppressed: suppression.New(rdb, names, nil),
		Sender:     w.sender,
		Outbox:     must(responses.NewOutbox(rdb, names, responses.OutboxOptions{}))(t),
		Logger:     slog.New(slog.DiscardHandler),
	}
	return w
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// campaign creates a running campaign whose list holds the elements as an application would have
// pushed them.
func (w *world) campaign(spec campaign.Spec, elements ...string) {
	w.t.Helper()
	if spec.Message == nil {
		spec.Message = []byte(plainMessage)
	}
	spec.State = campaign.Running
	if err := w.deps.Campaigns.Create(w.t.Context(), spec); err != nil {
		w.t.Fatal(err)
	}
	if len(elements) > 0 {
		if _, err := w.redis.RPush("campaign:"+spec.ID, elements...); err != nil {
			w.t.Fatal(err)
		}
	}
}

// dispatcher makes one with the world's options.
func (w *world) dispatcher() *Dispatcher {
	w.t.Helper()
	return must(New(w.deps, w.options))(w.t)
}

// serve runs a dispatcher for all campaigns; stop ends it gracefully.
func (w *world) serve(d *Dispatcher) (stop func()) {
	w.t.Helper()
	fetch, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(fetch, w.t.Context()) }()
	return func() {
		cancel()
		if err := servers.Receive(w.t, "end of the dispatcher", ended); err != nil {
			w.t.Error(err)
		}
	}
}

// job runs a dispatcher for one campaign to its end.
func (w *world) job(id string) error {
	w.t.Helper()
	w.options.Campaign = id
	bounded, cancel := context.WithTimeout(w.t.Context(), servers.Patience)
	defer cancel()
	return w.dispatcher().Run(bounded, bounded)
}

func (w *world) books(id string) campaign.Books {
	w.t.Helper()
	return must(w.deps.Campaigns.Books(w.t.Context(), id))(w.t)
}

// results are what waits for the responder, by user; users are checked to have one result each.
func (w *world) results() map[string]notification.Result {
	w.t.Helper()
	found := make(map[string]notification.Result)
	if !w.redis.Exists("notification:responses") {
		return found
	}
	for _, raw := range must(w.redis.List("notification:responses"))(w.t) {
		r := must(responses.Decode([]byte(raw)))(w.t)
		if earlier, twice := found[r.UserID]; twice && r.UserID != "" {
			w.t.Errorf("two results of %s: %+v and %+v", r.UserID, earlier, r)
		}
		found[r.UserID] = r
	}
	return found
}

func audience(n int) []string {
	elements := make([]string, n)
	for i := range elements {
		elements[i] = fmt.Sprintf(`{"userId":"u%04d","fcmToken":"token-%04d"}`, i, i)
	}
	return elements
}

// fakeSender is FCM as a function of the target's token; nil accepts.
type fakeSender struct {
	answer func(ctx context.Context, token string) fcm.Answer

	mu    sync.Mutex
	sent  map[string]int // requests by token
	order []string
	said  []string // the bodies, in the same order
}

func (f *fakeSender) Send(ctx context.Context, body []byte, target notification.Target) fcm.Answer {
	f.mu.Lock()
	f.sent[target.Value]++
	f.order = append(f.order, target.Value)
	f.said = append(f.said, string(body))
	f.mu.Unlock()
	if f.answer != nil {
		return f.answer(ctx, target.Value)
	}
	return accepted(ctx, target.Value)
}

// Validate answers as Send does, and is not counted.
func (f *fakeSender) Validate(ctx context.Context, _ []byte, target notification.Target) fcm.Answer {
	if f.answer != nil {
		return f.answer(ctx, target.Value)
	}
	return accepted(ctx, target.Value)
}

func accepted(context.Context, string) fcm.Answer {
	return fcm.Answer{Class: fcm.Sent, MessageID: "projects/p/messages/1", HTTPStatus: 200}
}

func (f *fakeSender) requests(token string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[token]
}

func (f *fakeSender) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.order)
}

// saidTo is the last body sent to a token.
func (f *fakeSender) saidTo(token string) string {
	for i := len(f.said) - 1; i >= 0; i-- {
		if f.order[i] == token {
			return f.said[i]
		}
	}
	return ""
}

// ttl is how long a device keeps the message of request i; 0: unbounded.
func (f *fakeSender) ttl(t *testing.T, i int) time.Duration {
	t.Helper()
	var body struct {
		Message struct{ Android struct{ TTL string } }
	}
	if err := json.Unmarshal([]byte(f.said[i]), &body); err != nil {
		t.Fatal(err)
	}
	if body.Message.Android.TTL == "" {
		return 0
	}
	return must(time.ParseDuration(body.Message.Android.TTL))(t)
}

// each checks that everyone of an audience was sent to n times.
func (f *fakeSender) each(t *testing.T, audience, n int) {
	t.Helper()
	for i := range audience {
		if token := fmt.Sprintf("token-%04d", i); f.requests(token) != n {
			t.Errorf("%s was sent to %d times, want %d", token, f.requests(token), n)
		}
	}
}

var errDown = errors.New("database is down")

func (w *world) client() (*redis.Client, error) {
	dial := w.dial
	rdb := redis.NewClient(&dial)
	w.t.Cleanup(func() { rdb.Close() })
	return rdb, rdb.Ping(w.t.Context()).Err()
}

// allResults are the results that wait, those without a user too.
func (w *world) allResults() []notification.Result {
	w.t.Helper()
	var all []notification.Result
	for _, raw := range must(w.redis.List("notification:responses"))(w.t) {
		all = append(all, must(responses.Decode([]byte(raw)))(w.t))
	}
	return all
}

// loseLease claims recipients as a process does that then dies: its lease has run out.
func (w *world) loseLease(id string, n int) {
	w.t.Helper()
	q := must(w.deps.Campaigns.Queue(id))(w.t)
	claim := must(q.Claim(w.t.Context(), queue.NewID(), n))(w.t)
	if len(claim.Elements) != n {
		w.t.Fatalf("claimed %d, want %d", len(claim.Elements), n)
	}
	if _, err := w.redis.ZAdd("{campaign:"+id+"}:leases", 1, claim.Claim); err != nil {
		w.t.Fatal(err)
	}
}

// eventually waits for a condition that other goroutines bring about.
func (w *world) eventually(condition func() bool) {
	w.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-limit:
			w.t.Fatal("the condition did not come about")
		case <-tick.C:
		}
	}
}

// daemonLog is a log as daemons have it: repeated warnings are counted.
func daemonLog(w io.Writer) *slog.Logger {
	return slog.New(warnings.NewHandler(slog.NewTextHandler(w, nil), func(text string) string { return text }))
}
