package responder_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
	"fanfare/internal/store"
	"fanfare/test/servers"
)

// onBoth runs a test with a real Redis and a database of each kind, which has no table yet.
func onBoth(t *testing.T, test func(w *world, db *store.Store)) {
	for _, kind := range []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "fanfare.db") }},
		{"postgres", func(t *testing.T) string { return servers.Postgres(t) }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			db, err := store.Open(t.Context(), kind.url(t), store.Options{Timeout: patience}) // the machine may be busy
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Errorf("close database: %v", err)
				}
			})
			test(newWorldOn(t, servers.Redis(t), db), db)
		})
	}
}

func migrate(t *testing.T, db *store.Store) {
	t.Helper()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Results go from the outbox of a campaign to rows in SQL. Each result has one row, copies share
// it, and a later result of a lower rank changes nothing. What the database cannot store becomes a
// dead letter.
func TestFromOutboxToRows(t *testing.T) {
	onBoth(t, func(w *world, db *store.Store) {
		migrate(w.T, db)
		campaign, err := w.names.Campaign("42")
		if err != nil {
			w.Fatal(err)
		}
		const n = 3000
		want := map[notification.Status]int64{}
		elements := make([]any, 0, 2*n)
		for i := range n {
			r := result(i, notification.Statuses[i%len(notification.Statuses)])
			want[r.Status]++
			elements = append(elements, encoded(r))
			if i%10 == 0 {
				elements = append(elements, encoded(r)) // as an interrupted forwarder leaves it
			}
			if r.Status == notification.StatusSent && i%20 == 4 {
				r.Status = notification.StatusUnknown
				elements = append(elements, encoded(r))
			}
		}
		phones := result(n+1, notification.StatusSent)
		phones.Devices = []notification.DeviceResult{
			{Address: "a…b", Kind: "fid", Platform: "ios", Status: notification.StatusSent, MessageID: "m", Attempts: 1},
			{Address: "c…d", Kind: "token", Status: notification.StatusFailed, ErrorCode: "UNREGISTERED", Attempts: 1},
		}
		want[phones.Status]++
		strange := []byte(`{"campaignId":"42","userId":"odd","status":"sent","at":"2026-03-04T05:06:07Z","resultId":"odd","devices":[{"status":"delivered"}]}`)
		elements = append(elements, withDevices(w.T, phones), strange)
		poison := result(n, notification.StatusSent)
		poison.MessageID = "NUL\x00"
		elements = append(elements, encoded(poison))
		if err := w.rdb.RPush(w.Context(), campaign.Key(keys.SuffixOutbox), elements...).Err(); err != nil {
			w.Fatal(err)
		}
		out, err := responses.NewOutbox(w.rdb, w.names, responses.OutboxOptions{})
		if err != nil {
			w.Fatal(err)
		}
		if _, err := out.Forward(w.Context(), campaign); err != nil {
			w.Fatal(err)
		}
		w.drain()

		summary, err := db.Summary(w.Context(), "42")
		if err != nil {
			w.Fatal(err)
		}
		for _, status := range notification.Statuses {
			if summary.Counts[status] != want[status] {
				w.Errorf("%d rows %s, want %d", summary.Counts[status], status, want[status])
			}
		}
		rows, err := db.Deliveries(w.Context(), "42", "u4")
		if err != nil || len(rows) != 1 || encoded(rows[0]) != encoded(result(4, notification.StatusSent)) {
			w.Errorf("row %+v, error %v", rows, err)
		}
		rows, err = db.Deliveries(w.Context(), "42", phones.UserID)
		if err != nil || len(rows) != 1 || !reflect.DeepEqual(rows[0].Devices, phones.Devices) {
			w.Errorf("row with devices %+v, error %v", rows, err)
		}
		refused := 0
		for _, l := range w.letters() {
			if l.Kind == responses.KindResult {
				refused++
				if string(l.Raw) == string(strange) {
					continue
				}
				if l.ID != id(n) || !strings.Contains(l.Reason, "NUL") || string(l.Raw) != encoded(poison) {
					w.Errorf("letter %+v", l)
				}
			}
		}
		if refused != 2 {
			w.Errorf("%d results refused, want the one with a NUL and the one with a strange device", refused)
		}
	})
}

// withDevices encodes a result with devices, as the contract has it.
func withDevices(t *testing.T, r notification.Result) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A database without tables halts the responder. Once they exist, everything is written.
func TestMissingTableHalts(t *testing.T) {
	onBoth(t, func(w *world, db *store.Store) {
		elements, _ := sent(100)
		w.push(elements...)
		r := w.start(w.rdb)
		w.await("the halt", func() bool { return r.Ready(w.Context()) != nil })
		if err := r.Ready(w.Context()); !strings.Contains(err.Error(), "fanfare_deliveries") {
			w.Errorf("ready: %v, want one that names the table", err)
		}
		migrate(w.T, db)
		w.await("the rows", func() bool { return w.counts().Ended["applied"] == 100 })
		if len(w.letters()) != 0 {
			w.Errorf("dead letters of a missing table: %+v", w.letters())
		}
		if summary, err := db.Summary(w.Context(), "42"); err != nil || summary.Total() != 100 {
			w.Errorf("%d rows, error %v", summary.Total(), err)
		}
	})
}

// A responder is killed between COMMIT and removal, several times. Each result has one row and is
// counted once.
func TestKilledAfterCommit(t *testing.T) {
	onBoth(t, func(w *world, db *store.Store) {
		migrate(w.T, db)
		w.options.Batch, w.options.Workers, w.options.GraceTimeout = 50, 1, 1
		elements, _ := sent(500)
		w.push(elements...)
		for range 5 {
			ctx, die := context.WithCancel(w.Context())
			killed := *w
			killed.deps.Applier = dyingDatabase{db, die}
			if err := killed.responder(deadClient{w.rdb, ctx}).Run(ctx, ctx); err != nil {
				w.Fatal(err)
			}
			w.expireLeases()
		}
		if c := w.counts(); c.Ended["applied"] != 0 || c.InFlight == 0 {
			w.Fatalf("books: %+v, want committed results that were not removed", c)
		}
		w.drain()
		summary, err := db.Summary(w.Context(), "42")
		if err != nil || summary.Counts[notification.StatusSent] != 500 || summary.Total() != 500 {
			w.Errorf("summary %+v, error %v", summary, err)
		}
		if c := w.counts(); c.Ended["applied"] != 500 || c.Claimed != 500 || c.Reaped == 0 {
			w.Errorf("books: %+v", c)
		}
	})
}

// dyingDatabase commits, and then the process dies.
type dyingDatabase struct {
	*store.Store
	die context.CancelFunc
}

func (d dyingDatabase) Apply(ctx context.Context, results []notification.Result) error {
	err := d.Store.Apply(ctx, results)
	d.die()
	return err
}

// deadClient is a client that reaches no server once its process is dead.
type deadClient struct {
	redis.UniversalClient
	life context.Context //nolint:containedctx // it is the process's life
}

func (m deadClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if m.life.Err() == nil {
		return m.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(errDead)
	return cmd
}
