package console

import (
	"fmt"
	"testing"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// Panels whose figures are kept for a while say how old they are.
func TestPanelsSayHowOldTheyAre(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.planned()
	started := now.Add(-5 * 24 * time.Hour)
	for i := range f.system.views {
		if v := &f.system.views[i]; v.Spec.ID == "completed" {
			v.Spec.StartedAt, v.Spec.FinishedAt = started, started.Add(time.Hour)
		}
	}
	f.console.deps.Records = &fakeRecords{minutes: []store.Minute{{Start: started, Status: notification.StatusSent, N: 600}}}
	pages := map[string]string{
		"/quota":               `Ready to ask for more quota?</h2><span class="note">%s old</span>`,
		"/dead":                `</b> match <span class="faint">· %s old</span>`,
		"/campaigns/draft":     "zones · %s old",
		"/campaigns/completed": "one value each minute · %s old",
	}
	at := now
	f.console.now = func() time.Time { return at }
	for _, age := range []string{"0.0 s", "9.0 s"} {
		f.refresh()
		for path, want := range pages {
			wantTexts(t, path, f.get(path).text, fmt.Sprintf(want, age))
		}
		at = now.Add(9 * time.Second)
	}
}
