package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/redact"
	"fanfare/internal/schedule"
)

// newContent is the form of a new campaign.
type newContent struct {
	Message  string // the example that the form begins with
	Project  string
	Priority int
	Weight   int
	Projects []string // that are known, if they are several
	Source   sourceForm
}

// exampleMessage is where a new campaign begins.
const exampleMessage = `{
  "notification": {
    "title": "Hello {{firstName|there}}",
    "body": "What you tell everyone"
  },
  "android": {"priority": "HIGH", "ttl": "14400s"},
  "apns": {"headers": {"apns-priority": "10"}}
}`

// errReadOnly is the page of an action for people who only read.
var errReadOnly = errors.New("this console is read only: start it with --operate, and log in with an operator's token")

func (c *Console) newModel(_ context.Context, s *Snapshot, r *http.Request) (any, string, error) {
	if !viewerOf(r).Operate {
		return nil, "", errReadOnly
	}
	return newContent{Message: exampleMessage, Weight: 1, Projects: s.knownProjects(), Source: sourceFormOf(campaign.Source{})}, "New campaign", nil
}

// formErrors are what is wrong with a form, by field.
type formErrors struct {
	Fields map[string]string `json:"fields"`
	Faults []fault           `json:"faults"`
	// Warnings are placeholders that no one fills in. They refuse nothing.
	Warnings []fault `json:"warnings"`
	Bytes    int     `json:"bytes"` // of the message
}

func (e *formErrors) isEmpty() bool { return len(e.Fields)+len(e.Faults) == 0 }

// readForm reads the form of a new campaign for people who operate.
func (c *Console) readForm(next func(http.ResponseWriter, *http.Request, campaign.Spec, *formErrors)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !viewerOf(r).Operate {
			http.Error(w, errReadOnly.Error(), http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "The form cannot be read: "+err.Error(), http.StatusBadRequest)
			return
		}
		spec, problems := specOf(r.PostForm)
		next(w, r, spec, problems)
	}
}

// checkMessage answers with the faults of the message, as it is typed.
func (c *Console) checkMessage(w http.ResponseWriter, _ *http.Request, _ campaign.Spec, problems *formErrors) {
	problems.Fields = nil
	writeJSON(w, http.StatusOK, problems)
}

// create creates the draft, or answers with all that is wrong.
func (c *Console) create(w http.ResponseWriter, r *http.Request, spec campaign.Spec, problems *formErrors) {
	if problems.isEmpty() {
		problems.add(c.deps.System.Create(r.Context(), spec))
	}
	if !problems.isEmpty() {
		writeJSON(w, http.StatusUnprocessableEntity, problems)
		return
	}
	c.sampler.poke()
	c.deps.Logger.Info("operator acted", "path", r.URL.Path, "who", viewerOf(r).Name, "campaign", spec.ID)
	writeJSON(w, http.StatusOK, done{Message: "Created " + spec.ID + " as a draft.", Go: c.campaignURL(spec.ID) + "/audience"})
}

// add puts an error beside the field that it is about.
func (e *formErrors) add(err error) {
	specErr, isField := errors.AsType[*campaign.SpecError](err)
	switch {
	case err == nil:
	case isField:
		e.Fields[specErr.Field] = "It " + specErr.Problem
	case errors.Is(err, campaign.ErrExists):
		e.Fields["id"] = "There is a campaign with this id already."
	default:
		e.Fields["id"] = redact.Text(err.Error())
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// specOf reads the form. It finds all that is wrong at once.
func specOf(form url.Values) (campaign.Spec, *formErrors) {
	value := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	problems := &formErrors{Fields: make(map[string]string)}
	refuse := func(field string, err error) {
		if err != nil {
			problems.Fields[field] = "It " + err.Error()
		}
	}
	message := bytes.ReplaceAll([]byte(form.Get("message")), []byte("\r\n"), []byte("\n"))
	spec := campaign.Spec{
		ID: value("id"), Name: value("name"), Message: message, OnAmbiguous: campaign.OnAmbiguous(value("on_ambiguous")),
		Devices: campaign.DevicePolicy(value("devices")), Dedupe: campaign.Dedupe(value("dedupe")), Kind: campaign.Kind(value("kind")),
	}
	problems.Faults, problems.Warnings, problems.Bytes = faultsOf(message), warningsOf(message), len(message)
	if spec.ID == "" {
		problems.Fields["id"] = "Give it an id, such as sale-2026-12. It cannot be changed later."
	}
	var err error
	spec.Rate, err = campaign.ParseRate(value("rate"))
	refuse("rate", err)
	spec.Project, err = campaign.ParseProject(value("project"))
	refuse("project", err)
	spec.Deadline, err = parseMoment(value("deadline"))
	refuse("deadline", err)
	spec.StartAt, err = parseMoment(value("start_at"))
	refuse("start_at", err)
	spec.Windows, err = schedule.ParseWindows(strings.ReplaceAll(value("windows"), "\n", ";"))
	refuse("windows", err)
	spec.LocalTime, err = schedule.ParseLocalFrom(value("local_time"), time.Now(), spec.StartAt)
	refuse("local_time", err)
	spec.TimeZone, err = campaign.ParseTimeZone(value("time_zone"))
	refuse("time_zone", err)
	spec.QuietHours, err = campaign.ParseQuietHours(value("quiet_hours"))
	refuse("quiet_hours", err)
	spec.Priority, err = parseWhole(value("priority"), 0, 0, campaign.MaxPriority)
	refuse("priority", err)
	spec.Weight, err = parseWhole(value("weight"), 1, 1, campaign.MaxWeight)
	refuse("weight", err)
	spec.Source, err = sourceOf(form)
	refuse(sourceField, err)
	return spec, problems
}

// parseWhole reads a whole number within bounds; "" is the default.
func parseWhole(text string, normal, low, high int) (int, error) {
	if text == "" {
		return normal, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("is %q, want %d to %d", clip(text, 40), low, high)
	}
	return n, nil
}

// momentLayout is what a browser's field for a moment writes.
const momentLayout = "2006-01-02T15:04"

// parseMoment reads what a browser's field for a moment writes, in UTC, or RFC 3339.
func parseMoment(text string) (time.Time, error) {
	for _, layout := range []string{momentLayout, momentLayout + ":05"} {
		if at, err := time.Parse(layout, text); err == nil {
			text = at.Format(time.RFC3339)
			break
		}
	}
	return campaign.ParseDeadline(text)
}
