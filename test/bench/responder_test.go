package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
	"fanfare/test/servers"
)

const (
	batchedResults = 600_000
	singleResults  = 15_000
	responsesKey   = "notification:responses"
)

// BenchmarkResponder takes results from the list to COMMIT to removal, in batches and row by row,
// into PostgreSQL with synchronous_commit on, and into SQLite.
func BenchmarkResponder(b *testing.B) {
	for b.Loop() {
		fmt.Printf("\nresponder, from the list to COMMIT to removal\n")
		for _, database := range []struct{ name, url string }{
			{"postgres", durablePostgres(b)},
			{"sqlite", "sqlite:" + filepath.Join(b.TempDir(), "bench.db")},
		} {
			batched := applyAll(b, database.url, batchedResults, 1000)
			single := applyAll(b, database.url, singleResults, 1)
			fmt.Printf("%9s: %7.0f results a second in batches of 1,000; %6.0f row by row; %.0f times\n", database.name, batched, single, batched/single)
			b.ReportMetric(batched, database.name+"-results/s")
		}
	}
}

// applyAll fills the list, lets one responder empty it, and returns the results applied a second,
// from the first claim to the last removal.
func applyAll(b *testing.B, database string, n, batch int) float64 {
	b.Helper()
	addr := servers.Redis(b, "--appendonly", "yes")
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	b.Cleanup(func() { rdb.Close() })
	pushResults(b, rdb, "batch-"+strconv.Itoa(batch), n)
	p := start(b, []string{
		"REDIS_URL=redis://" + addr, "DATABASE_URL=" + database, "FANFARE_HTTP_RESPONDER=off", "LOG_LEVEL=warn",
		"FANFARE_STORE_TOKEN_CLEAR=off", "FANFARE_RESPONDER_BATCH=" + strconv.Itoa(batch),
	}, program(b, "responder"))
	left := func(ctx context.Context) int64 {
		pipe := rdb.Pipeline()
		listed, leased := pipe.LLen(ctx, responsesKey), pipe.ZCard(ctx, "{"+responsesKey+"}:leases")
		if _, err := pipe.Exec(ctx); err != nil {
			b.Fatal(err)
		}
		return listed.Val() + leased.Val()
	}
	begun := until(b, func() bool { return left(b.Context()) < int64(n) })
	ended := until(b, func() bool { return left(b.Context()) == 0 })
	p.signal(syscall.SIGTERM)
	p.succeed()
	return float64(n) / ended.Sub(begun).Seconds()
}

// durablePostgres waits for the disk at each COMMIT, as in production.
func durablePostgres(b *testing.B) string {
	b.Helper()
	server, err := servers.StartPostgres(servers.PostgresOptions{Fsync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Stop)
	return server.Database(b)
}

// pushResults writes results as the dispatcher does: most sent, some failed.
func pushResults(b *testing.B, rdb *redis.Client, campaign string, n int) {
	b.Helper()
	at := time.Now()
	batch := make([]any, 0, 1000)
	for i := range n {
		user := strconv.Itoa(i)
		r := notification.Result{
			CampaignID: campaign, UserID: "user-" + user, Status: notification.StatusSent, Attempts: 1, At: at,
			MessageID: "projects/bench/messages/0:1700000000000000%" + user, ResultID: "01a208b8-20db-77e2-9015-a99db40f41a6:" + user,
		}
		if i%50 == 0 {
			r.Status, r.MessageID, r.ErrorCode, r.Error = notification.StatusFailed, "", "UNREGISTERED", "Requested entity was not found."
		}
		if batch = append(batch, responses.Append(nil, &r)); len(batch) == cap(batch) || i == n-1 {
			if err := rdb.RPush(b.Context(), responsesKey, batch...).Err(); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}
