package console

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// Each stage of the funnel is the one before it less its losses, down to who was accepted and
// written. The equation under it adds up to who was loaded.
func TestFunnelAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int64 { return rapid.Int64Range(0, 1_000_000).Draw(t, name) }
		b := campaign.Books{Waiting: n("waiting"), InFlight: n("in flight"), Retrying: n("retrying"), Codes: map[string]int64{}}
		for i := range rapid.IntRange(0, 12).Draw(t, "codes") {
			status := rapid.SampledFrom([]string{"failed", "skipped", "expired", "unknown"}).Draw(t, "status")
			count := 1 + n("of a code")
			b.Codes[status+":CODE_"+string(rune('A'+i))] = count
			switch status {
			case "failed":
				b.Failed += count
			case "skipped":
				b.Skipped += count
			case "expired":
				b.Expired += count
			case "unknown":
				b.Unknown += count
			}
		}
		b.Sent = n("sent")
		b.Loaded = b.CountEnded() + b.CountOpen()
		inSQL := rapid.Int64Range(0, b.Sent).Draw(t, "written")
		stages := funnelOf(&Campaign{View: operator.View{Books: b}}, &written{Sent: inSQL})
		for i := 1; i < len(stages); i++ {
			if s := stages[i]; s.N != stages[i-1].N-s.Sum {
				t.Fatalf("stage %s has %d after %d less %d", s.Name, s.N, stages[i-1].N, s.Sum)
			}
		}
		if accepted, sql := stages[3].N, stages[4].N; accepted != b.Sent || sql != inSQL {
			t.Fatalf("accepted %d, written %d, want %d and %d", accepted, sql, b.Sent, inSQL)
		}
		var sum int64
		for _, c := range countsOf(b) {
			sum += c.N
		}
		if sum != b.Loaded {
			t.Fatalf("the equation has %d, loaded are %d", sum, b.Loaded)
		}
		width := 0.0
		for _, part := range barOf(b).Parts {
			width += part.Width
		}
		if width > barWidth+0.01 {
			t.Fatalf("the bar is %.1f wide", width)
		}
	})
}

func TestShare(t *testing.T) {
	for _, each := range []struct {
		n, all int64
		want   string
	}{{0, 0, "–"}, {0, 5, "0%"}, {5, 5, "100%"}, {999_999, 1_000_000, ">99.9%"}, {1, 1_000_000, "<0.01%"}, {5, 1000, "0.50%"}, {645, 1000, "64.5%"}, {1, 4, "25%"}} {
		if got := share(each.n, each.all); got != each.want {
			t.Errorf("share of %d in %d is %s, want %s", each.n, each.all, got, each.want)
		}
	}
}

func TestSpansAreWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0.4 s", 66 * time.Second: "66 s", 192 * time.Second: "3 min 12 s", 207 * time.Minute: "3 h 27 min", 50 * time.Hour: "2 days 2 h", -time.Second: "0.0 s",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestSentencesBeginWithACapital(t *testing.T) {
	if got, want := sentence([]string{"überholt", "3 people wait"}), "Überholt. 3 people wait."; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
}
