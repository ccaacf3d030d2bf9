package dispatcher

import (
	"log/slog"
	"strings"
	"testing"

	"fanfare/internal/campaign"
)

// A key of another type where results belong holds a campaign up until somebody mends it, who is told once, and how.
func TestForwarderSaysWhatIsInTheWay(t *testing.T) {
	w := newWorld(t)
	var log strings.Builder
	w.deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w.campaign(campaign.Spec{ID: "42"}, audience(3)...)
	if err := w.redis.Set("notification:responses", "somebody's"); err != nil {
		t.Fatal(err)
	}
	d := w.dispatcher()
	stop := w.serve(d)
	w.eventually(func() bool { return w.books("42").Outbox == 3 })
	list := must(w.deps.Campaigns.Queue("42"))(t).List()
	for range 3 {
		d.forwarder.forward(t.Context(), list)
	}
	w.redis.Del("notification:responses")
	w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
	stop()
	if got := len(w.results()); got != 3 {
		t.Errorf("%d results, want 3", got)
	}
	text := log.String()
	if strings.Count(text, "forward results") != 1 || !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "rename or delete it") {
		t.Errorf("the log says\n%s", text)
	}
}
