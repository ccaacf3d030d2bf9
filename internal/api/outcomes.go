package api

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/profiles"
	"fanfare/internal/redact"
)

// exportOutcomes streams the outcomes of a campaign that match. After the first row there is no
// way to report an error, so the connection is aborted.
func (a *API) exportOutcomes(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	filter, err := operator.ParseFilter(query.Get("status"), query.Get("code"))
	if err != nil {
		return err
	}
	format := audience.Format(cmp.Or(query.Get("format"), string(audience.NDJSON)))
	kind := map[audience.Format]string{audience.NDJSON: "application/x-ndjson", audience.CSV: "text/csv; charset=utf-8"}[format]
	if kind == "" {
		return badRequest("format is %q, want ndjson or csv", format)
	}
	outcomes, err := a.deps.System.Outcomes(r.Context(), r.PathValue("id"), filter)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	out := &download{w, http.NewResponseController(w), false}
	if _, err := operator.WriteOutcomes(out, format, outcomes); err != nil {
		if !out.begun {
			return err
		}
		a.deps.Logger.Error("API export broke off", "error", redact.Text(err.Error()))
		panic(http.ErrAbortHandler) // the caller must not take it for the whole
	}
	return nil
}

// download is a response of any length. It may take as long as it likes, if the caller reads
// something each minute.
type download struct {
	http.ResponseWriter
	connection *http.ResponseController
	begun      bool
}

func (d *download) Write(p []byte) (int, error) {
	d.begun = true
	_ = d.connection.SetWriteDeadline(time.Now().Add(bodyTimeout)) // a test's server has none
	return d.ResponseWriter.Write(p)
}

// userAnswer is what is known of a user. Addresses are abbreviated.
type userAnswer struct {
	ID      string                 `json:"id"`
	Token   string                 `json:"token,omitempty"`
	Devices []operator.DeviceView  `json:"devices"`
	Removed []operator.RemovedView `json:"removed"`
	Profile profiles.Profile       `json:"profile,omitempty"`
	// Suppressed users get no push from any campaign.
	Suppressed bool                  `json:"suppressed"`
	Caps       []operator.CapView    `json:"caps,omitempty"`
	Outcomes   []notification.Result `json:"outcomes"`
	More       bool                  `json:"more"`
	// Problems say what could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// The number of outcomes of a user.
const (
	defaultOutcomes = 100
	maxOutcomes     = 1000
)

func (a *API) showUser(r *http.Request) (int, any, error) {
	limit := defaultOutcomes
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxOutcomes {
			return 0, nil, badRequest("limit is %q, want 1 to %d", text, maxOutcomes)
		}
		limit = n
	}
	u, err := a.deps.System.User(r.Context(), r.PathValue("id"), limit)
	view := operator.UserView{User: u}
	answer := userAnswer{
		ID: u.ID, Token: view.TokenText(), Devices: append([]operator.DeviceView{}, view.DeviceViews()...),
		Removed: append([]operator.RemovedView{}, u.RemovedViews()...), Profile: u.Profile, Suppressed: u.Suppressed, Caps: u.CapViews(),
		Outcomes: append([]notification.Result{}, u.Outcomes...), More: u.More,
	}
	for _, each := range []error{u.TokenErr, u.ProfileErr, u.RemovedErr, u.SuppressedErr, u.CapsErr, err} {
		if each != nil {
			answer.Problems = append(answer.Problems, redact.Text(each.Error()))
		}
	}
	for i := range answer.Outcomes {
		answer.Outcomes[i].RemoveTokens()
	}
	return http.StatusOK, answer, nil
}
