package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
	"fanfare/internal/schedule"
)

// listCampaigns lists those with a state and with a text in their id or name.
func (a *API) listCampaigns(r *http.Request) (int, any, error) {
	views, err := a.deps.System.List(r.Context())
	if err != nil {
		return 0, nil, err
	}
	a.deps.System.ExplainAll(r.Context(), views, a.deps.Paces)
	query := r.URL.Query()
	state, search := query.Get("state"), strings.ToLower(query.Get("search"))
	matching := make([]operator.View, 0, len(views))
	for _, v := range views {
		found := strings.Contains(strings.ToLower(v.Spec.ID), search) || strings.Contains(strings.ToLower(v.Spec.Name), search)
		if found && (state == "" || state == string(v.State())) {
			matching = append(matching, v)
		}
	}
	return http.StatusOK, map[string]any{"campaigns": matching}, nil
}

// showCampaign also lists the waves that are to come. A change does not: a plan reads a sample of
// the audience.
func (a *API) showCampaign(r *http.Request) (int, any, error) {
	view, err := a.viewOf(r, r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	view.Waves = a.planOf(r, view)
	return http.StatusOK, view, nil
}

// respondWith answers with a campaign as it is now.
func (a *API) respondWith(r *http.Request, status int, id string) (int, any, error) {
	view, err := a.viewOf(r, id)
	return status, view, err
}

func (a *API) viewOf(r *http.Request, id string) (operator.View, error) {
	view, err := a.deps.System.Show(r.Context(), id)
	if err == nil {
		a.deps.System.Explain(r.Context(), &view, a.deps.Paces)
	}
	return view, err
}

// planOf returns when the recipients of a campaign with time rules are sent to; nil for others, and
// if that is unknown: a plan is a remark beside the figures.
func (a *API) planOf(r *http.Request, v operator.View) *operator.WavePlan {
	if !v.HasWaves() {
		return nil
	}
	state := a.deps.Paces.Read(r.Context(), v.Spec.Project)
	if state == nil {
		return nil
	}
	plan, err := a.plans.Plan(r.Context(), a.deps.System, v, *state, state.Now)
	if err != nil {
		a.deps.Logger.Info("waves not planned; the campaign is shown without them", "campaign", v.Spec.ID, "error", err)
	}
	return plan
}

// newCampaign is the body that creates a campaign.
type newCampaign struct {
	ID          string                `json:"id"`
	Name        string                `json:"name"`
	Message     json.RawMessage       `json:"message"`
	Project     string                `json:"project"`
	OnAmbiguous campaign.OnAmbiguous  `json:"onAmbiguous"`
	Devices     campaign.DevicePolicy `json:"devices"`
	Dedupe      campaign.Dedupe       `json:"dedupe"`
	Kind        campaign.Kind         `json:"kind"`
	Weight      int                   `json:"weight"`
	Priority    int                   `json:"priority"`
	Rate        float64               `json:"rate"`
	Deadline    time.Time             `json:"deadline"`
	StartAt     time.Time             `json:"startAt"`
	Windows     []string              `json:"windows"`
	LocalTime   string                `json:"localTime"`
	TimeZone    string                `json:"timeZone"`
	QuietHours  string                `json:"quietHours"`
	Source      campaign.Source       `json:"source"`
}

func (a *API) createCampaign(r *http.Request) (int, any, error) {
	var n newCampaign
	if err := readJSON(r, &n); err != nil {
		return 0, nil, err
	}
	windows, err := parseWindows(n.ID, n.Windows)
	if err != nil {
		return 0, nil, err
	}
	local, err := a.deps.System.ReadLocalTime(r.Context(), n.ID, n.LocalTime, &n.StartAt)
	if err != nil {
		return 0, nil, err
	}
	quiet, err := parseQuietHours(n.ID, n.QuietHours)
	if err != nil {
		return 0, nil, err
	}
	err = a.deps.System.Create(r.Context(), campaign.Spec{
		ID: n.ID, Name: n.Name, Message: []byte(n.Message), Project: n.Project, OnAmbiguous: cmp.Or(n.OnAmbiguous, campaign.Resend),
		Devices: n.Devices, Dedupe: n.Dedupe, Kind: n.Kind,
		Weight: cmp.Or(n.Weight, 1), Priority: n.Priority, Rate: n.Rate, Deadline: n.Deadline,
		StartAt: n.StartAt, Windows: windows, LocalTime: local, TimeZone: n.TimeZone, QuietHours: quiet, Source: n.Source,
	})
	if err != nil {
		return 0, nil, err
	}
	return a.respondWith(r, http.StatusCreated, n.ID)
}

// change is the body that changes a campaign. What is left out stays. The zero moment removes the
// deadline, a rate of 0 the cap, and an object without members the source.
type change struct {
	Message     json.RawMessage        `json:"message"`
	Project     *string                `json:"project"`
	OnAmbiguous *campaign.OnAmbiguous  `json:"onAmbiguous"`
	Devices     *campaign.DevicePolicy `json:"devices"`
	Dedupe      *campaign.Dedupe       `json:"dedupe"`
	Kind        *campaign.Kind         `json:"kind"`
	Weight      *int                   `json:"weight"`
	Priority    *int                   `json:"priority"`
	Rate        *float64               `json:"rate"`
	Deadline    *time.Time             `json:"deadline"`
	StartAt     *time.Time             `json:"startAt"`
	Windows     *[]string              `json:"windows"`
	LocalTime   *string                `json:"localTime"`
	TimeZone    *string                `json:"timeZone"`
	QuietHours  *string                `json:"quietHours"`
	Source      *campaign.Source       `json:"source"`
	Partial     bool                   `json:"partial"` // give up the rest of the present source
}

// parseWindows reads windows. The error names the field.
func parseWindows(id string, windows []string) (schedule.Windows, error) {
	w, err := schedule.ParseWindows(strings.Join(windows, ";"))
	if err != nil {
		return w, &campaign.SpecError{ID: id, Field: "windows", Problem: err.Error()}
	}
	return w, nil
}

func parseQuietHours(id, text string) (campaign.QuietHours, error) {
	quiet, err := campaign.ParseQuietHours(text)
	if err != nil {
		return quiet, &campaign.SpecError{ID: id, Field: "quiet_hours", Problem: err.Error()}
	}
	return quiet, nil
}

// addTimes adds the changes of time rules.
func (a *API) addTimes(ctx context.Context, id string, c change, to *campaign.Change) error {
	to.StartAt, to.TimeZone = c.StartAt, c.TimeZone
	if c.Windows != nil {
		windows, err := parseWindows(id, *c.Windows)
		if err != nil {
			return err
		}
		to.Windows = &windows
	}
	if c.LocalTime != nil {
		local, err := a.deps.System.ReadLocalTime(ctx, id, *c.LocalTime, c.StartAt)
		if err != nil {
			return err
		}
		to.LocalTime = &local
	}
	if c.QuietHours != nil {
		quiet, err := parseQuietHours(id, *c.QuietHours)
		if err != nil {
			return err
		}
		to.QuietHours = &quiet
	}
	return nil
}

func (a *API) changeCampaign(r *http.Request) (int, any, error) {
	var c change
	if err := readJSON(r, &c); err != nil {
		return 0, nil, err
	}
	id := r.PathValue("id")
	to := campaign.Change{
		Message: []byte(c.Message), Project: c.Project, OnAmbiguous: c.OnAmbiguous, Devices: c.Devices, Dedupe: c.Dedupe, Kind: c.Kind,
		Weight: c.Weight, Priority: c.Priority, Rate: c.Rate, Deadline: c.Deadline, Source: c.Source, Partial: c.Partial,
	}
	if err := a.addTimes(r.Context(), id, c, &to); err != nil {
		return 0, nil, err
	}
	if err := a.deps.System.CheckSchedule(r.Context(), id, to, a.deps.Paces); err != nil {
		return 0, nil, err
	}
	err := a.deps.System.Change(r.Context(), id, to)
	if err != nil {
		return 0, nil, err
	}
	return a.respondWith(r, http.StatusOK, id)
}

func (a *API) deleteCampaign(r *http.Request) (int, any, error) {
	gone, err := a.deps.System.Delete(r.Context(), r.PathValue("id"), operator.DeleteOptions{Wait: operator.DefaultDeleteWait})
	return http.StatusOK, gone, err
}

// transition is the body of a start, a pause or a cancellation.
type transition struct {
	Reason  string `json:"reason"`
	Partial bool   `json:"partial"` // start without the missing recipients
	Late    bool   `json:"late"`    // start although waves do not fit
}

// readTransition reads the body.
func (a *API) readTransition(r *http.Request) (transition, error) {
	var t transition
	if err := readJSON(r, &t); err != nil {
		return t, err
	}
	const longest = 500
	if len(t.Reason) > longest {
		return t, badRequest("reason has more than %d bytes", longest)
	}
	t.Reason = strings.TrimSpace(t.Reason)
	return t, nil
}

// move changes the state of a campaign, and answers with it.
func (a *API) move(r *http.Request, do func(ctx context.Context, id string, t transition) error) (int, any, error) {
	t, err := a.readTransition(r)
	if err != nil {
		return 0, nil, err
	}
	if err := do(r.Context(), r.PathValue("id"), t); err != nil {
		return 0, nil, err
	}
	return a.respondWith(r, http.StatusOK, r.PathValue("id"))
}

// startCampaign starts a draft, or resumes a paused campaign.
func (a *API) startCampaign(r *http.Request) (int, any, error) {
	return a.move(r, func(ctx context.Context, id string, t transition) error {
		return a.deps.System.Start(ctx, id, operator.StartOptions{Reason: t.Reason, Partial: t.Partial, Late: t.Late, Pace: a.deps.Paces})
	})
}

func (a *API) pauseCampaign(r *http.Request) (int, any, error) {
	return a.move(r, func(ctx context.Context, id string, t transition) error {
		return a.deps.System.Pause(ctx, id, t.Reason)
	})
}

func (a *API) cancelCampaign(r *http.Request) (int, any, error) {
	return a.move(r, func(ctx context.Context, id string, t transition) error {
		return a.deps.System.Cancel(ctx, id, t.Reason)
	})
}

// showHistory says who did what, the newest last.
func (a *API) showHistory(r *http.Request) (int, any, error) {
	h, err := a.deps.System.History(r.Context(), r.PathValue("id"))
	problem := ""
	if h.Problem != nil {
		problem = redact.Text(h.Problem.Error())
	}
	return http.StatusOK, struct {
		Entries []notification.HistoryEntry `json:"entries"`
		Problem string                      `json:"problem,omitempty"`
	}{append([]notification.HistoryEntry{}, h.Entries...), problem}, err
}
