package warnings

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// newLog returns a logger with a handler, and what it has written.
func newLog() (*slog.Logger, *Handler, *bytes.Buffer) {
	var out bytes.Buffer
	h := NewHandler(slog.NewTextHandler(&out, nil), func(text string) string { return strings.ReplaceAll(text, "secret", "…") })
	return slog.New(h), h, &out
}

func wantLines(t *testing.T, out *bytes.Buffer, want ...string) {
	t.Helper()
	synctest.Wait()
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(want), out)
	}
	for i := range want {
		if !regexp.MustCompile(want[i]).MatchString(got[i]) {
			t.Errorf("line %d is\n%s\nwant %s", i, got[i], want[i])
		}
	}
}

// A storm is one line at its begin, and one at its end with its count and duration.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, h, out := newLog()
		for i := range 393 {
			log.Warn("token lookup failed", "user", i, "error", errors.New("away: secret"))
			<-time.After(100 * time.Millisecond)
		}
		wantLines(t, out, `level=WARN msg="token lookup failed" user=0`)
		if all := h.List(5); len(all) != 1 || all[0].Count != 393 || all[0].Detail != "away: …" || all[0].Message != "token lookup failed" {
			t.Errorf("at the moment: %+v", all)
		}
		<-time.After(quiet)
		wantLines(t, out, `token lookup failed`, `level=INFO msg="warning repeated; it has ended" warning="token lookup failed" times=393 lasted=39.2s$`)
		if all := h.List(5); len(all) != 0 {
			t.Errorf("after its end: %+v", all)
		}
		log.Warn("token lookup failed", "user", "u")
		wantLines(t, out, `lookup`, `ended`, `msg="token lookup failed" user=u`)
	})
}

// A warning that comes once has no second line, and other levels pass.
func TestSingleLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, h, out := newLog()
		log.Warn("a")
		log.Info("b")
		log.Info("b")
		if all := h.List(5); len(all) != 0 {
			t.Errorf("one warning counts as a failure: %+v", all)
		}
		<-time.After(2 * quiet)
		wantLines(t, out, `msg=a`, `msg=b`, `msg=b`)
	})
}

// Another campaign, another operation, and an error with other attributes are news.
func TestNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, h, out := newLog()
		for range 2 {
			log.Warn("claim failed", "campaign", "1", "try", 1)
			log.Warn("claim failed", "campaign", "2")
			log.With("campaign", "3").Warn("claim failed")
			log.Warn("write failed", "operation", "x")
			log.Warn("write failed", "operation", "y")
			log.Error("breaker tripped", "kind", "a")
			log.Error("breaker tripped", "kind", "b")
		}
		wantLines(t, out, `campaign=1`, `campaign=2`, `campaign=3`, `operation=x`, `operation=y`, `kind=a`, `kind=b`)
		var campaigns []string
		for _, c := range h.List(3) {
			campaigns = append(campaigns, c.Campaign)
		}
		if len(campaigns) != 3 {
			t.Errorf("listed %v, want three at most", campaigns)
		}
		h.Flush()
		if n := strings.Count(out.String(), "warning repeated until the stop"); n != 7 {
			t.Errorf("%d counts at the stop, want 7:\n%s", n, out)
		}
	})
}

// What lasts long is written again, with its count.
func TestReminder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, h, out := newLog()
		for range 8 {
			log.Warn("probe not answered")
			<-time.After(40 * time.Second)
		}
		<-time.After(time.Second)
		log.Warn("probe not answered")
		wantLines(t, out, `msg="probe not answered"$`, `msg="probe not answered" times=9 since=`)
		h.Flush()
	})
}

// Very many different warnings pass, and need no memory.
func TestManyWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, h, out := newLog()
		for i := range 2 * maxKnown {
			log.Warn("w", "campaign", fmt.Sprint(i))
		}
		if n := strings.Count(out.String(), "\n"); n != 2*maxKnown || len(h.known.byKey) != maxKnown {
			t.Errorf("%d lines and %d known", n, len(h.known.byKey))
		}
		h.Flush()
	})
}
