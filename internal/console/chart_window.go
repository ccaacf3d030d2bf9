package console

import (
	"net/http"
	"time"

	"fanfare/internal/campaign"
)

// The charts of a campaign have two windows: all that Redis keeps, and the last half hour, by ten
// seconds. They are in the address: ?window=30m.
const (
	recentWindow = "30m"
	recentSpan   = 30 * time.Minute
)

// chartWindow leads to another window of the charts.
type chartWindow struct {
	Label, URL string
	Current    bool
}

// hasRecent reports whether the last half hour is another window than the whole record.
func hasRecent(spec campaign.Spec, now time.Time) bool {
	if spec.StartedAt.IsZero() || now.Sub(spec.StartedAt) <= recentSpan {
		return false
	}
	return !spec.State.HasEnded() || now.Sub(spec.FinishedAt) < recentSpan
}

// windowsOf are the windows of a campaign's charts; nil if there is only one.
func (c *Console) windowsOf(r *http.Request, spec campaign.Spec, now time.Time) []chartWindow {
	if !hasRecent(spec, now) {
		return nil
	}
	isRecent := r.URL.Query().Get("window") == recentWindow
	to := func(window string) string {
		q := r.URL.Query()
		q.Del("window")
		if window != "" {
			q.Set("window", window)
		}
		if len(q) == 0 {
			return c.campaignURL(spec.ID)
		}
		return c.campaignURL(spec.ID) + "?" + q.Encode()
	}
	return []chartWindow{{"Last 30 min", to(recentWindow), isRecent}, {"Since the start", to(""), !isRecent}}
}
