package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// event is one moment of a user's story.
type event struct {
	Day      string // set where a day begins
	At       string
	State    shownState
	Campaign string
	Name     string
	URL      string // "" if Redis no longer knows the campaign
	Code     string
	Tries    int
	Text     string // the reason, or FCM's name of the message
	Removed  bool   // the token was removed
	Devices  []deviceEvent
}

// deviceEvent is what happened to one of several devices.
type deviceEvent struct {
	State shownState
	Text  string
}

func deviceEventsOf(results []notification.DeviceResult) []deviceEvent {
	var all []deviceEvent
	for _, d := range results {
		parts := []string{d.Address, d.Kind}
		for _, part := range []string{d.Platform, d.ErrorCode} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		if d.TokenRemoved {
			parts = append(parts, "removed")
		}
		all = append(all, deviceEvent{stateOfOutcome(d.Status), strings.Join(parts, " · ")})
	}
	return all
}

// stateOfOutcome also shows a status that this version does not know.
func stateOfOutcome(status notification.Status) shownState {
	if state, known := outcomeStates[status]; known {
		return state
	}
	return shownState{"is-held", string(status), "i-info"}
}

// outcomeStates are the outcomes as the console shows them.
var outcomeStates = map[notification.Status]shownState{
	notification.StatusSent:    {"is-completed", "Sent", "i-completed"},
	notification.StatusFailed:  {"is-broken", "Failed", "i-broken"},
	notification.StatusSkipped: {"is-cancelled", "Skipped", "i-cancelled"},
	notification.StatusExpired: {"is-expired", "Expired", "i-expired"},
	notification.StatusUnknown: {"is-held", "Unknown", "i-held"},
}

// storyOf tells the outcomes of a user in the order in which they happened.
func (c *Console) storyOf(u operator.User, s *Snapshot) []event {
	story := make([]event, 0, len(u.Outcomes))
	day := ""
	for _, o := range slices.Backward(u.Outcomes) {
		e := event{
			At: o.At.UTC().Format("15:04:05"), State: stateOfOutcome(o.Status), Campaign: o.CampaignID, Name: o.CampaignID,
			Code: o.ErrorCode, Tries: o.Attempts, Text: cmp.Or(o.Error, o.MessageID), Removed: o.TokenRemoved,
			Devices: deviceEventsOf(o.Devices),
		}
		if known := s.find(o.CampaignID); known != nil {
			e.Name, e.URL = cmp.Or(known.Spec.Name, known.Spec.ID), c.campaignURL(known.Spec.ID)
		}
		if on := o.At.UTC().Format("2 January 2006"); on != day {
			day, e.Day = on, on
		}
		story = append(story, e)
	}
	return story
}

// personTiles are the figures above a user's story.
func personTiles(u operator.User, content peopleContent, s *Snapshot) []tile {
	token := tile{Label: "Token", Figure: content.Token.State, Sub: cmp.Or(content.Token.Note, "it could not be looked up")}
	letters := tile{Label: "Dead letters", Figure: operator.Thousands(content.LettersAll), Sub: "none to replay"}
	if len(content.Letters) > 0 {
		letters.Sub = "the newest: " + content.Letters[0].Code
	}
	return append(outcomeTiles(u, content, s.At), token, letters)
}

// outcomeTiles are what SQL knows. Without it, the figures are unknown and not 0.
func outcomeTiles(u operator.User, content peopleContent, now time.Time) []tile {
	last, all := tile{Label: "Last outcome", Figure: "–"}, tile{Label: "Outcomes", Figure: "–"}
	switch {
	case !content.Records.Configured:
		last.Sub, all.Sub = "no database keeps them", "no database keeps them"
	case content.Records.Problem != "":
		last.Sub, all.Sub = "SQL does not answer", "SQL does not answer"
	case len(u.Outcomes) == 0:
		last.Sub, all.Figure, all.Sub = "none in SQL yet", "0", "in no campaign"
	default:
		newest := u.Outcomes[0]
		last.Figure = cmp.Or(outcomeStates[newest.Status].Label, string(newest.Status))
		last.Sub = clock(newest.At, now) + " UTC, " + span(now.Sub(newest.At)) + " ago"
		all.Figure, all.Sub = operator.Thousands(len(u.Outcomes)), sumsOf(u.Outcomes)
		if u.More {
			all.Sub = "the newest; there are more"
		}
	}
	return []tile{last, all}
}

// sumsOf counts outcomes by status: sent first, unknown last.
func sumsOf(outcomes []notification.Result) string {
	counts := make(map[notification.Status]int)
	for _, o := range outcomes {
		counts[o.Status]++
	}
	var parts []string
	for _, status := range slices.Backward(notification.Statuses) {
		if n := counts[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", operator.Thousands(n), status))
		}
	}
	return strings.Join(parts, ", ")
}
