package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkHaltedProject sends for one Firebase project: alone, beside a halted one with people who
// wait, and alone again, in one dispatcher.
func BenchmarkHaltedProject(b *testing.B) {
	const people, waiting = 100_000, 20_000
	for b.Loop() {
		w := newWorld(b, "50ms")
		file := filepath.Join(b.TempDir(), "fanfare.yaml")
		if err := os.WriteFile(file, []byte("projects:\n  first: {}\n  second: {}\n"), 0o600); err != nil {
			b.Fatal(err)
		}
		w.env = append(w.env, "FCM_PROJECT_ID=", "FANFARE_CONFIG="+file)
		start(b, w.env, program(b, "dispatcher"))
		create := func(id, project string, n int) {
			w.fanfare("campaign", "create", id, "--project", project, "--message", messageFile(b))
			w.fanfare("load", id, audienceFile(b, n))
		}
		send := func(id string) (perSecond float64) {
			create(id, "first", people)
			before := w.counts().Requests
			w.fanfare("campaign", "start", id)
			began := w.await(func(c simCounts) bool { return c.Requests > before })
			ended := w.await(func(c simCounts) bool { return c.Requests >= before+people })
			return people / ended.Sub(began).Seconds()
		}
		send("warm-up")
		first := send("first")
		w.fanfare("project", "halt", "--project", "second", "--reason", "measured")
		create("waits", "second", waiting)
		w.fanfare("campaign", "start", "waits")
		awaitTime(b, time.Now().Add(2*time.Second)) // until its recipients are claimed
		beside := send("beside")
		w.fanfare("campaign", "cancel", "waits")
		again := send("again")
		alone := (first + again) / 2
		fmt.Printf("\none project sends %.0f a second alone, %.0f beside a halted one with %d waiting, %.0f alone again: ratio %.2f\n",
			first, beside, waiting, again, beside/alone)
		b.ReportMetric(beside/alone, "beside/alone")
	}
}
