package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestActorIsRecorded(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", "")
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", `{"reason":"fixed"}`)
	if got := strings.Join(f.system.acted, "; "); got != "start 42: by app, API; start 42: fixed" {
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
