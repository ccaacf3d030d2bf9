package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

const (
	kills          = 10
	killRecipients = 20_000
	killLease      = 2 * time.Second
)

// BenchmarkKills ends a dispatcher during a campaign, ten times at random moments, by SIGKILL and
// then by SIGTERM. Another one drains the rest. Then the simulator's ledger is compared with the
// audience.
func BenchmarkKills(b *testing.B) {
	for b.Loop() {
		for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			killTable(b, how)
		}
	}
}

func killTable(b *testing.B, how syscall.Signal) {
	w := newWorld(b, "50ms")
	window := concurrency + ackBatch
	fmt.Printf("\n%s in mid-campaign, %d recipients, %d in flight, then drained by another dispatcher\n", how, killRecipients, concurrency)
	fmt.Printf("%4s  %9s  %9s  %6s  %10s  %6s\n", "time", "killed at", "accepted", "lost", "duplicates", "window")
	var lost, worst int64
	for i := range kills {
		id := fmt.Sprintf("%s-%d", how, i)
		w.campaign(id, killRecipients)
		w.forget()
		goal := int64(rand.N(killRecipients*3/4) + 1)
		p := w.job(id, "FANFARE_QUEUE_LEASE="+killLease.String())
		w.await(func(c simCounts) bool { return c.Accepted >= goal })
		p.signal(how)
		p.end()
		w.job(id, "FANFARE_QUEUE_LEASE="+killLease.String()).succeed()
		c := w.counts()
		lost += killRecipients - c.Distinct
		worst = max(worst, c.Duplicates)
		fmt.Printf("%4d  %9d  %9d  %6d  %10d  %6d\n", i+1, goal, c.Accepted, killRecipients-c.Distinct, c.Duplicates, window)
		if got := w.books(id); got.Sent != killRecipients || got.Missing != 0 {
			b.Errorf("books of %s: %+v", id, got)
		}
	}
	fmt.Printf("%s: %d lost, at most %d duplicates at a time\n", how, lost, worst)
	b.ReportMetric(float64(lost), how.String()+"-lost")
	b.ReportMetric(float64(worst), how.String()+"-duplicates")
}

// ackBatch is the default of dispatcher.ack_batch: outcomes that were not written yet when a
// dispatcher is killed.
const ackBatch = 200

// BenchmarkHangs shows that requests which are never answered hinder no one else: one in 2,000
// hangs.
func BenchmarkHangs(b *testing.B) {
	const n = 40_000
	for b.Loop() {
		w := newWorld(b, "50ms", "--rules", rulesFile(b, `{"latency":"50ms","outcomes":[{"code":"HANG","share":0.0005,"times":1}]}`))
		w.campaign("hang", n)
		p := w.job("hang", "FANFARE_FCM_TIMEOUT=10s")
		begun := time.Now()
		w.await(func(c simCounts) bool { return c.Accepted >= n*999/1000 })
		rest := time.Since(begun)
		p.succeed()
		all := time.Since(begun)
		c, got := w.counts(), w.books("hang")
		fmt.Printf("\nnever answering 1 in 2,000: %d recipients; 99.9%% accepted after %.1f s (%.0f a second), all after %.1f s; %d requests hung and were repeated\n",
			n, rest.Seconds(), float64(n)/rest.Seconds(), all.Seconds(), c.Requests-c.Accepted)
		fmt.Printf("books: sent %d, unknown %d, failed %d of %d\n", got.Sent, got.Unknown, got.Failed, got.Loaded)
		b.ReportMetric(float64(n)/rest.Seconds(), "pushes/s")
	}
}

// BenchmarkConnections counts the TLS connections that 1,000 pushes in flight need, and Redis' own
// CPU for a push: with its writes appended to disk once a second, and without. What a bare PING
// costs tells what the machine is worth.
func BenchmarkConnections(b *testing.B) {
	const n = 60_000
	for b.Loop() {
		fmt.Printf("\n1,000 in flight\n")
		for _, appendonly := range []string{"yes", "no"} {
			w := newWorldOn(b, servers.Redis(b, "--appendonly", appendonly), "50ms")
			w.campaign("many", n)
			w.forget()
			ping := pingCPU(w)
			before, dialed := redisCPU(w), w.counts().Connections.TLS
			w.job("many", "FANFARE_DISPATCHER_CONCURRENCY=1000").succeed()
			c := w.counts()
			each := (redisCPU(w) - before) / n
			fmt.Printf("appendonly %-3s: %d at most at a time, %d TLS connections dialed (at most 15); Redis used %.2f µs a push (at most 5), and %.1f µs for a PING\n",
				appendonly, c.MaxInFlight, c.Connections.TLS-dialed, each*1e6, ping*1e6)
			b.ReportMetric(float64(c.Connections.TLS-dialed), "connections")
			b.ReportMetric(each*1e6, "redis-µs/push")
		}
	}
}

// pingCPU is what Redis uses for one bare command, in seconds.
func pingCPU(w *world) float64 {
	w.b.Helper()
	const n = 2_000
	before := redisCPU(w)
	for range n {
		if err := w.rdb.Ping(w.b.Context()).Err(); err != nil {
			w.b.Fatal(err)
		}
	}
	return (redisCPU(w) - before) / n
}

// redisCPU is the CPU time in seconds that the server itself has used, without its children.
func redisCPU(w *world) float64 {
	w.b.Helper()
	info, err := w.rdb.InfoMap(w.b.Context(), "cpu").Result()
	if err != nil {
		w.b.Fatal(err)
	}
	total := 0.0
	for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
		seconds, err := strconv.ParseFloat(info["CPU"][field], 64)
		if err != nil {
			w.b.Fatalf("read %s: %v", field, err)
		}
		total += seconds
	}
	return total
}
