package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanfare/internal/checks"
)

// The page of the fleet never waits for a check. It shows the last one, without its secrets.
func TestHealthIsCheckedBesideThePages(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	checked := make(chan struct{})
	f.console.health = newHealthCheck(func(context.Context) []checks.Finding {
		defer close(checked)
		return []checks.Finding{
			{Name: "memory", Grade: checks.Good, Detail: "4 GiB of 16"},
			{Name: "eviction", Grade: checks.Warning, Detail: "allkeys-lru", Advice: "set noeviction"},
			{Name: "database", Grade: checks.Failure, Detail: "dial postgres://u:hunter22@db/x: refused", Advice: "start it"},
		}
	}, func() time.Time { return now })
	if page := f.get("/quota").text; !strings.Contains(page, "The first check is under way") {
		t.Error("the page does not say that the check is under way")
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.console.health.run(ctx)
	}()
	<-checked
	stop()
	<-ended
	page := f.get("/quota").text
	for _, want := range []string{"4 GiB of 16", "warning: ", "set noeviction", "failure: ", "start it"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(page, "hunter22") {
		t.Error("the page shows a password")
	}
}
