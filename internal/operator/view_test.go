package operator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// An invalid message of an application shows as broken in every view, with all its faults.
func TestUnusableMessagesAreBroken(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		says    string
		faults  int
	}{
		"an object as text":  {"[object Object]", "JSON.stringify", 1},
		"numbers in data":    {`{"data":{"unread":3,"price":1.5}}`, "message.data.price: must be a string", 2},
		"no JSON":            {`{"notification":`, "is not JSON", 1},
		"an unknown field":   {`{"notification":{"titel":"x"}}`, "message.notification.titel: is unknown to FCM", 1},
		"an open hole":       {`{"notification":{"title":"Hi {{name"}}`, "a placeholder is not closed", 1},
		"nothing":            {"", "message is missing", 0},
		"a request and more": {`{"message":{},"topic":"news"}`, "topic: is beside", 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			ok(t, f.rdb.RPush(t.Context(), "campaign:42", `{"userId":1}`).Err())
			ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "message", c.message, "state", "running").Err())
			list, err := f.List(t.Context())
			ok(t, err)
			for door, view := range map[string]View{"show": f.show("42"), "list": list[0]} {
				equal(t, door+": state", view.State(), Broken)
				if c.faults > 0 { // the list treats a missing message as empty
					mentions(t, view.Err, c.says)
					equal(t, door+": faults", len(notification.FaultsOf(view.Err)), c.faults)
				}
			}
			var shown struct {
				State, StoredState, Reason, Error string
				Faults                            []string
			}
			text, err := json.Marshal(f.show("42"))
			ok(t, err)
			ok(t, json.Unmarshal(text, &shown))
			if shown.State != "broken" || shown.StoredState != "running" || !strings.Contains(shown.Reason, c.says) || shown.Error == "" || len(shown.Faults) != c.faults {
				t.Errorf("as JSON: %s", text)
			}
			ok(t, f.Watch(t.Context(), "42", time.Millisecond, nil, func(p Progress) bool {
				if p.State != Broken || !strings.Contains(p.Reason, c.says) {
					t.Errorf("watched: %+v", p)
				}
				return false
			}))
		})
	}
}

// A broken campaign is not started. It is no longer broken after its message was replaced.
func TestBrokenCampaignIsFixed(t *testing.T) {
	f := open(t)
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "message", `{"data":{"n":1}}`, "state", "paused").Err())
	mentions(t, f.Start(t.Context(), "42", StartOptions{}), "message of campaign 42", "message.data.n")
	equal(t, "state", f.show("42").Spec.State, campaign.Paused)
	ok(t, f.Change(t.Context(), "42", campaign.Change{Message: []byte(plainMessage)}))
	equal(t, "state once fixed", f.show("42").State(), campaign.Paused)
	ok(t, f.Start(t.Context(), "42", StartOptions{}))
	equal(t, "state once started", f.show("42").State(), campaign.Running)
}

// An ended campaign is not broken, whatever its message.
func TestEndedCampaignIsNotBroken(t *testing.T) {
	f := open(t)
	for _, state := range []campaign.State{campaign.Cancelled, campaign.Completed, campaign.Expired} {
		ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "message", "[object Object]", "state", string(state)).Err())
		equal(t, "state", f.show("42").State(), state)
	}
}
