package store

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// BenchmarkApply reports rows per second. It compares batches with a transaction per row, and
// measures the cost of the triggers. PostgreSQL runs with fsync and synchronous_commit on, and
// takes batches on two connections.
func BenchmarkApply(b *testing.B) {
	durable, err := servers.StartPostgres(servers.PostgresOptions{Fsync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer durable.Stop()
	for _, kind := range []struct {
		name string
		url  func(b *testing.B) string
	}{
		{"postgres", func(b *testing.B) string { return durable.Database(b) }},
		{"sqlite", func(b *testing.B) string { return sqliteURL(b) }},
	} {
		for _, load := range []struct {
			name     string
			size     int
			triggers bool
		}{{"batches of 1000", 1000, true}, {"batches of 1000, no triggers", 1000, false}, {"row by row", 1, true}} {
			b.Run(kind.name+"/"+load.name, func(b *testing.B) {
				s := migrated(b, kind.url(b), Options{})
				if !load.triggers {
					dropTriggers(b, s)
				}
				applyBatches(b, s, load.size)
			})
		}
	}
}

// applyBatches applies b.N batches of new results of one campaign from two workers.
func applyBatches(b *testing.B, s *Store, size int) {
	const workers = 2
	var next atomic.Int64
	var working sync.WaitGroup
	b.ResetTimer()
	for range workers {
		working.Go(func() {
			results := make([]notification.Result, size)
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				fillBatch(results, n)
				if err := s.Apply(b.Context(), results); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(0, "ns/op")
}

// fillBatch makes results like the dispatcher's: mostly sent, and users in no order.
func fillBatch(results []notification.Result, batch int64) {
	for i := range results {
		n := uint64(batch)*uint64(len(results)) + uint64(i)
		user := fmt.Sprint(n * 0x9E3779B97F4A7C15 >> 24)
		r := outcome("campaign-1", user, fmt.Sprintf("0190a5b2-7c1e-7abc-8def-%012x:%d", batch, i), notification.StatusSent)
		r.MessageID = "projects/example/messages/0:1700000000000000%" + user
		if n%20 == 0 {
			r.Status, r.MessageID = notification.StatusFailed, ""
			r.ErrorCode, r.Error = "UNREGISTERED", "Requested entity was not found."
		}
		results[i] = r
	}
}

func dropTriggers(b *testing.B, s *Store) {
	for _, trigger := range []string{"fanfare_count_inserted", "fanfare_count_updated", "fanfare_count_deleted"} {
		drop := "DROP TRIGGER " + trigger
		if strings.HasPrefix(b.Name(), "BenchmarkApply/postgres") {
			drop += " ON fanfare_deliveries"
		}
		execute(b, s, drop)
	}
}
