package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"fanfare/internal/operator"
)

func TestActorIsRecorded(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", "")
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", `{"reason":"fixed"}`)
	if got := strings.Join(f.system.acted, "; "); got != "start 42 by app, API: ; start 42 by app, API: fixed" {
		t.Errorf("recorded %q", got)
	}
}

// A source is an object with the members of the spec's.
func TestSourceOfANewCampaign(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusCreated, `"id":"42"`, http.MethodPost, "/campaigns", `{"id":"42","message":{},"source":{"files":["/data/users.csv"],"where":"age < 30"}}`)
	f.expect(http.StatusUnprocessableEntity, "file", http.MethodPost, "/campaigns", `{"id":"43","message":{},"source":{"file":"/data/users.csv"}}`)
	if got := strings.Join(f.system.acted, "; "); got != `create 42 resend 1{"files":["/data/users.csv"],"where":"age < 30"}` {
		t.Errorf("created %q", got)
	}
}

// A schedule whose waves do not fit is refused, and nothing is changed.
func TestUnfitScheduleIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusConflict, "campaign 42 is not scheduled", http.MethodPatch, "/campaigns/42", `{"startAt":"2031-01-02T10:00:00Z"}`)
}

// A campaign with time rules lists its waves as "fanfare campaign show --json" does. Callers share
// a plan for a while. An answer to a change has none.
func TestWavesOfACampaign(t *testing.T) {
	t.Parallel()
	f := open(t, operator.Project{ID: "shop", Pace: fakePace{fakeSystem: &fakeSystem{}}})
	opens := time.Date(2031, 2, 3, 2, 0, 0, 0, time.UTC)
	f.expect(http.StatusOK, `"why"`, http.MethodGet, "/campaigns/42", "")
	f.system.plan = &operator.WavePlan{Waves: []operator.PlannedWave{
		{Opens: opens, Closes: opens.Add(time.Hour), Zones: []string{"Asia/Saigon"}, N: 30, Running: true}, {Opens: opens.Add(2 * time.Hour), Zones: []string{"UTC"}, N: 4},
	}}
	const want = `"waves":{"waves":[{"opens":"2031-02-03T02:00:00Z","closes":"2031-02-03T03:00:00Z","zones":["Asia/Saigon"],"n":30,"running":true},{"opens":"2031-02-03T04:00:00Z","zones":["UTC"],"n":4}]`
	for range 2 {
		f.expect(http.StatusOK, want, http.MethodGet, "/campaigns/42", "")
	}
	if f.system.planned != 1 {
		t.Errorf("it was planned %d times for two callers", f.system.planned)
	}
	if _, text := f.send(http.MethodPost, "/campaigns/42/start", ""); strings.Contains(text, `"waves"`) {
		t.Errorf("the answer to a change plans: %s", text)
	}
}
