package bench

import (
	"fmt"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// canarySize is the default of breaker.canary.
const canarySize = 100

// BenchmarkWrongPayload sends what FCM refuses for everyone to 1,000,000 recipients, by four
// replicas.
func BenchmarkWrongPayload(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, fleetLatency)
		w.putRules(everyAnswer("INVALID_PAYLOAD"))
		const n = 1_000_000
		w.campaign("wrong", n)
		w.stopped("wrong payload", n)
	}
}

// BenchmarkWrongProject sends with another project's credentials to users whose tokens stand in
// Redis.
func BenchmarkWrongProject(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, fleetLatency)
		w.putRules(everyAnswer("SENDER_ID_MISMATCH"))
		const n = 200_000
		store, names := w.tokens(), keys.Default()
		imported, err := store.Import(b.Context(), func(yield func(string, notification.Device) bool) {
			for i := range n {
				if !yield(userName(i), notification.Device{Target: notification.ParseToken(tokenOf(i))}) {
					return
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		w.campaignOf("wrong", csvFile(b, "userId", n, userName))
		w.stopped("wrong project", n)
		left := countKeys(w, n, func(i int) string { return names.Token(userName(i)) })
		fmt.Printf("        tokens in Redis before %d, afterwards %d; deleted %d (0)\n", imported, left, imported-left)
		b.ReportMetric(float64(imported-left), "tokens-deleted")
	}
}

func everyAnswer(code string) string {
	return `{"latency":"` + fleetLatency + `","outcomes":[{"code":"` + code + `","share":1}]}`
}

// stopped stops a Job that waits for something. The wait must not delay it, and all recipients that
// were not sent to must be back.
func (w *world) stopped(what string, n int64) {
	w.b.Helper()
	began := time.Now()
	var replicas []*process
	for range 4 {
		replicas = append(replicas, w.job("wrong"))
	}
	var codes []int
	for _, p := range replicas {
		codes = append(codes, p.end().code)
	}
	took := time.Since(began)
	c, view := w.counts(), w.show("wrong")
	fmt.Printf("\n%s, %d recipients, 4 replicas: %d requests until it stopped (at most %d), after %.1f s, starts included; exit codes %v (4)\n",
		what, n, c.Requests, canarySize, took.Seconds(), codes)
	fmt.Printf("        state %s: %s\n", view.State, view.Reason)
	fmt.Printf("        failed %d, kept %d of %d\n", view.Books.Failed, view.Books.Waiting+view.Books.Retrying, view.Books.Loaded)
	w.b.ReportMetric(float64(c.Requests), "requests")
}

func (w *world) tokens() *tokens.Store {
	w.b.Helper()
	store, err := tokens.New(w.rdb, keys.Default(), nil, tokens.Options{})
	if err != nil {
		w.b.Fatal(err)
	}
	return store
}

// countKeys tells how many of n keys are there.
func countKeys(w *world, n int, key func(int) string) (there int) {
	w.b.Helper()
	const portion = 1_000
	for from := 0; from < n; from += portion {
		keys := make([]string, 0, portion)
		for i := from; i < min(n, from+portion); i++ {
			keys = append(keys, key(i))
		}
		found, err := w.rdb.Exists(w.b.Context(), keys...).Result()
		if err != nil {
			w.b.Fatal(err)
		}
		there += int(found)
	}
	return there
}
