package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// BenchmarkUncertain answers a tenth of all requests with 503, and delivers a quarter of those. It
// compares the simulator's ledger with the campaign's books and results.
func BenchmarkUncertain(b *testing.B) {
	const n, backoff = 100_000, "250ms"
	for b.Loop() {
		w := newWorld(b, fleetLatency, "--ledger", "messages")
		w.putRules(`{"latency":"` + fleetLatency + `","outcomes":[{"code":"UNAVAILABLE","share":0.1,"delivered":0.25}]}`)
		w.campaign("uncertain", n)
		w.job("uncertain", "FANFARE_RETRY_MIN_BACKOFF="+backoff).succeed()
		c, books := w.counts(), w.books("uncertain")
		found := w.duplicates()
		attempts := w.attempts()
		attributed, repeats := 0, int64(0)
		for user, made := range attempts {
			repeats += made - 1
			if d, ok := found[user]; ok && d.Attempts == made {
				attributed++
			}
		}
		fmt.Printf("\n10%% 503, a quarter of them delivered; %d recipients, shortest wait %s instead of FCM's 10s\n", n, backoff)
		fmt.Printf("        %d requests, %d of them answered 503; distinct recipients reached %d, lost %d (0)\n",
			c.Requests, c.Codes["UNAVAILABLE"], c.Distinct, n-c.Distinct)
		fmt.Printf("        messages delivered more than once: %d too many, to %d recipients; of these, results that tell of all attempts: %d\n",
			c.Duplicates, len(found), attributed)
		fmt.Printf("        books: sent %d, failed %d, unknown %d of %d; resent without a known outcome: %d (the 503s: %d), by the results %d\n",
			books.Sent, books.Failed, books.Unknown, books.Loaded, books.Resent, c.Codes["UNAVAILABLE"], repeats)
		b.ReportMetric(float64(n-c.Distinct), "lost")
		b.ReportMetric(float64(c.Duplicates), "duplicates")
		b.ReportMetric(float64(len(found)-attributed), "unattributed")
	}
}

// ledgerLine is one recipient in the simulator's ledger.
type ledgerLine struct {
	Target             string
	Attempts, Accepted int64
}

// duplicates are the recipients who got their message more than once, by user.
func (w *world) duplicates() map[string]ledgerLine {
	w.b.Helper()
	found := make(map[string]ledgerLine)
	w.sim.read("/ledger", func(reply io.Reader) error {
		lines := json.NewDecoder(reply)
		for {
			var line ledgerLine
			if err := lines.Decode(&line); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			if line.Accepted > 1 {
				found[userOf(line.Target)] = line
			}
		}
	})
	return found
}

// userOf is whose token that is.
func userOf(token string) string {
	number := strings.TrimSuffix(strings.TrimPrefix(token, "bench-"), tokenTail)
	return "user-" + number
}

// attempts are the attempts that the results report, by user.
func (w *world) attempts() map[string]int64 {
	w.b.Helper()
	const portion = 10_000
	made := make(map[string]int64)
	for from := int64(0); ; from += portion {
		results, err := w.rdb.LRange(w.b.Context(), responsesKey, from, from+portion-1).Result()
		if err != nil {
			w.b.Fatal(err)
		}
		for _, text := range results {
			var r struct {
				UserID   string
				Attempts int64
			}
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				w.b.Fatalf("read result %q: %v", text, err)
			}
			made[r.UserID] = r.Attempts
		}
		if len(results) < portion {
			return made
		}
	}
}
