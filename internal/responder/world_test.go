package responder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responder"
	"fanfare/internal/responses"
	"fanfare/internal/store"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is the Redis, the database and the log around a responder.
type world struct {
	*testing.T
	rdb     redis.UniversalClient // reliable, whatever the responder uses
	names   keys.Names
	lease   time.Duration
	deps    responder.Deps
	options responder.Options
	log     *lines
	metrics *prometheus.Registry
}

func newWorld(t *testing.T, db responder.Applier) *world {
	t.Helper()
	return newWorldOn(t, miniredis.RunT(t).Addr(), db)
}

func newWorldOn(t *testing.T, addr string, db responder.Applier) *world {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = rdb.Close() })
	w := &world{
		T: t, rdb: rdb, names: keys.Default(), lease: time.Minute, log: &lines{}, metrics: prometheus.NewRegistry(),
		options: responder.DefaultOptions(),
	}
	w.options.PollInterval, w.options.MaxPollInterval = time.Millisecond, 5*time.Millisecond
	w.options.RetryDelay, w.options.MaxRetryDelay = time.Millisecond, 5*time.Millisecond
	w.options.ReapInterval, w.options.TrimInterval, w.options.MeterInterval = 10*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond
	w.options.HaltDelay = 10 * time.Millisecond
	w.deps = responder.Deps{Applier: db, FaultOf: faultOf, Logger: slog.New(slog.NewTextHandler(w.log, nil))}
	return w
}

// responder makes a responder that uses a client of its own.
func (w *world) responder(rdb redis.UniversalClient) *responder.Responder {
	w.Helper()
	d := w.deps
	var err error
	if d.Queue, err = responses.NewQueue(rdb, w.names, w.lease); err != nil {
		w.Fatal(err)
	}
	if d.DeadLetters, err = responses.NewDeadLetters(rdb, w.names, responses.DeadLetterOptions{}); err != nil {
		w.Fatal(err)
	}
	r, err := responder.New(d, w.options)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// patience bounds every wait for a condition. A wait comes near it only if something is broken.
const patience = 30 * time.Second

func (w *world) await(what string, done func() bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	if err := servers.Await(ctx, func() (bool, error) { return done(), nil }); err != nil {
		w.Fatalf("%s: %v\n%s", what, err, w.log)
	}
}

// drain runs a responder until nothing is left.
func (w *world) drain() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	if err := w.responder(w.rdb).RunUntilDrained(ctx, ctx); err != nil {
		w.Fatalf("drain: %v\n%s", err, w.log)
	}
}

// running is a responder that runs.
type running struct {
	world *world
	*responder.Responder
	stopFetching, stopWork context.CancelFunc
	done                   chan struct{}
}

// start runs a responder until the test ends or stops it.
func (w *world) start(rdb redis.UniversalClient) *running {
	w.Helper()
	work, stopWork := context.WithCancel(context.WithoutCancel(w.Context()))
	fetch, stopFetching := context.WithCancel(work)
	r := &running{world: w, Responder: w.responder(rdb), stopFetching: stopFetching, stopWork: stopWork, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if err := r.Run(fetch, work); err != nil {
			w.Errorf("run: %v", err)
		}
	}()
	w.Cleanup(func() {
		stopWork()
		r.ends()
	})
	return r
}

// ends waits until the responder has ended.
func (r *running) ends() {
	r.world.Helper()
	servers.Receive(r.world, "end of the responder", r.done)
}

func (w *world) push(elements ...string) {
	w.Helper()
	for some := range slices.Chunk(elements, 1000) {
		if err := w.rdb.RPush(w.Context(), w.names.Responses, some).Err(); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) queue() *queue.Queue {
	w.Helper()
	q, err := responses.NewQueue(w.rdb, w.names, w.lease)
	if err != nil {
		w.Fatal(err)
	}
	return q
}

// counts reads the books and checks that they balance.
func (w *world) counts() queue.Counts {
	w.Helper()
	c, err := w.queue().Count(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var ended int64
	for _, n := range c.Ended {
		ended += n
	}
	if c.Claimed != ended+c.Back+c.Retrying+c.InFlight {
		w.Fatalf("the books do not balance: %+v", c)
	}
	return c
}

func (w *world) letters() []responses.DeadLetter {
	w.Helper()
	dead, err := responses.NewDeadLetters(w.rdb, w.names, responses.DeadLetterOptions{})
	if err != nil {
		w.Fatal(err)
	}
	var all []responses.DeadLetter
	for l, err := range dead.List(w.Context(), responses.Filter{}) {
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// expireLeases makes all leases run out.
func (w *world) expireLeases() {
	w.Helper()
	key := w.names.ResponsesList().Key(keys.SuffixLeases)
	for _, claim := range w.rdb.ZRange(w.Context(), key, 0, -1).Val() {
		w.rdb.ZAddXX(w.Context(), key, redis.Z{Score: 1, Member: claim})
	}
}

// metric is the sum of a metric over all of its labels.
func (w *world) metric(name string) (sum float64) {
	w.Helper()
	for _, value := range w.metricBy(name) {
		sum += value
	}
	return sum
}

// metricBy returns a metric by its label. The label is "" if the metric has none.
func (w *world) metricBy(name string) map[string]float64 {
	w.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "fanfare_responder_"+name {
			continue
		}
		values := make(map[string]float64)
		for _, m := range f.GetMetric() {
			label := ""
			if len(m.GetLabel()) > 0 {
				label = m.GetLabel()[0].GetValue()
			}
			values[label] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
		return values
	}
	w.Fatalf("there is no metric %s", name)
	return nil
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// database is a fake of SQL, with rows by key and a function that makes calls fail.
type database struct {
	mu    sync.Mutex
	rows  map[string]int // how many times each was written
	calls int
	// fails is called at each Apply with its number, from 1. nil means that all calls succeed.
	fails func(ctx context.Context, call int, results []notification.Result) error
}

func (d *database) Apply(ctx context.Context, results []notification.Result) error {
	d.mu.Lock()
	d.calls++
	call, fails := d.calls, d.fails
	d.mu.Unlock()
	if fails != nil {
		if err := fails(ctx, call, results); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rows == nil {
		d.rows = make(map[string]int)
	}
	for i := range results {
		d.rows[results[i].ResultID]++
	}
	return nil
}

func (d *database) attempts() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// wantRows compares the keys of all rows, regardless of order.
func (d *database) wantRows(t *testing.T, want []string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	got := make([]string, 0, len(d.rows))
	for id := range d.rows {
		got = append(got, id)
	}
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("rows: got %d %q\nwant %d %q", len(got), got, len(want), want)
	}
}

// fault is an error of a given kind.
type fault struct{ store.Fault }

func (f fault) Error() string { return "a fault that is " + f.String() }

func faultOf(err error) store.Fault {
	if f, ok := errors.AsType[fault](err); ok {
		return f.Fault
	}
	return store.FaultOf(err)
}

var (
	errTransient = fault{store.Transient}
	errData      = fault{store.Data}
	errHalt      = fault{store.Halt}
)

var at = time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)

func result(i int, status notification.Status) notification.Result {
	return notification.Result{
		CampaignID: "42", UserID: fmt.Sprint("u", i), Status: status, Attempts: 1, At: at, ResultID: id(i),
	}
}

func id(i int) string { return fmt.Sprintf("c:%05d", i) }

func encoded(r notification.Result) string { return string(responses.Append(nil, &r)) }

// sent makes n results, and their ids.
func sent(n int) (elements, ids []string) {
	for i := range n {
		elements = append(elements, encoded(result(i, notification.StatusSent)))
		ids = append(ids, id(i))
	}
	return elements, ids
}
