package api

import (
	"net/http"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

// lettersFilter selects dead letters. Without a field it selects all.
type lettersFilter struct {
	Campaign string    `json:"campaign"`
	User     string    `json:"user"`
	Code     string    `json:"code"`
	Reason   string    `json:"reason"` // a part of it
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
}

func (f lettersFilter) filter() responses.Filter {
	return responses.Filter{Campaign: f.Campaign, User: f.User, Code: f.Code, Reason: f.Reason, Since: f.Since, Until: f.Until}
}

// countLetters says what a replay of the selected letters would do, and changes nothing.
func (a *API) countLetters(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	f := lettersFilter{Campaign: query.Get("campaign"), User: query.Get("user"), Code: query.Get("code"), Reason: query.Get("reason")}
	for name, to := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if text := query.Get(name); text != "" {
			moment, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return 0, nil, badRequest("%s is %q, want a moment such as 2026-01-31T09:00:00Z", name, text)
			}
			*to = moment
		}
	}
	would, err := a.deps.System.WouldReplay(r.Context(), f.filter())
	return http.StatusOK, map[string]operator.ReplaySummary{"wouldReplay": would}, err
}

// replayRequest is the body of a replay.
type replayRequest struct {
	Filter lettersFilter `json:"filter"`
	Rate   float64       `json:"rate"` // letters a second; 0: as fast as Redis takes them
}

// replayLetters queues the recipients of the selected letters again.
func (a *API) replayLetters(r *http.Request) (int, any, error) {
	var body replayRequest
	if err := readJSON(r, &body); err != nil {
		return 0, nil, err
	}
	if body.Rate < 0 {
		return 0, nil, badRequest("rate is %v, want 0 or more", body.Rate)
	}
	done, err := a.deps.System.Replay(r.Context(), body.Filter.filter(), operator.ReplayOptions{Rate: body.Rate})
	return http.StatusOK, done, err
}
