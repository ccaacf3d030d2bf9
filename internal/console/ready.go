package console

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"sync"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
)

// readyContent is the page that checks a campaign before it starts.
type readyContent struct {
	ID, Name, URL string
	State         shownState
	Loaded        int64
	Check         string // where the check is asked for; "" if this console cannot check
	Report        *report
	Age           string // of the report
	Verdict       string
	Tone          string
	CanStart      bool
	Operate       bool
}

// report is what a check found.
type report struct {
	at       time.Time
	Running  bool
	Problem  string
	Findings []finding
	Failures int
	Warnings int
}

// finding is one line of a report.
type finding struct{ Icon, Tone, Grade, Name, Detail, Advice string }

// reportTTL is how long a report is shown. The audience may change meanwhile.
const reportTTL = 15 * time.Minute

// reports are the newest reports by campaign.
type reports struct {
	mu   sync.Mutex
	byID map[string]report
}

func (r *reports) find(id string, now time.Time) *report {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.byID, func(_ string, each report) bool { return now.Sub(each.at) > reportTTL })
	if each, ok := r.byID[id]; ok {
		return &each
	}
	return nil
}

func (r *reports) keep(id string, each report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = make(map[string]report)
	}
	r.byID[id] = each
}

func (c *Console) readyModel(ctx context.Context, _ *Snapshot, r *http.Request) (any, string, error) {
	view, err := c.showToOperator(ctx, r)
	if err != nil {
		return nil, "", err
	}
	id := view.Spec.ID
	out := readyContent{
		ID: id, Name: cmp.Or(view.Spec.Name, id), URL: c.campaignURL(id), State: stateOf(&Campaign{View: view}), Loaded: view.Books.Loaded,
		CanStart: view.Spec.State == campaign.Draft, Operate: true,
	}
	if c.deps.Check != nil {
		out.Check = c.campaignURL(id) + "/check"
	}
	if out.Report = c.reports.find(id, c.now()); out.Report != nil && !out.Report.Running {
		out.Age = span(c.now().Sub(out.Report.at))
		out.Verdict, out.Tone = out.Report.verdict()
	}
	return out, "Check of " + out.Name, nil
}

// verdict says in a sentence what a report means.
func (r *report) verdict() (text, tone string) {
	switch {
	case r.Problem != "":
		return "It could not be checked", "is-broken"
	case r.Failures > 0:
		return plural(int64(r.Failures), "thing is", "things are") + " wrong: do not start it yet", "is-broken"
	case r.Warnings > 0:
		return "It can start; look at " + plural(int64(r.Warnings), "warning", "warnings") + " first", "is-paused"
	}
	return "Nothing stands against starting it", "is-completed"
}

// beginCheck checks a campaign with FCM, without sending anything. The page shows the report.
func (c *Console) beginCheck(id string) (done, error) {
	if c.deps.Check == nil {
		return done{}, &inputError{"This console has no credentials for FCM, so it cannot check: fanfare campaign check does."}
	}
	if last := c.reports.find(id, c.now()); last != nil && last.Running {
		return done{Message: "A check is under way."}, nil
	}
	next := &work{subject: "check of " + id, title: "Check of " + id, now: c.now}
	c.reports.keep(id, report{at: c.now(), Running: true})
	err := c.works.begin(next, 0, func(ctx context.Context, _ *work) (string, error) {
		findings, err := c.deps.Check(ctx, id)
		c.reports.keep(id, reportOf(findings, err, c.now()))
		return "", err
	})
	if err != nil {
		c.reports.keep(id, reportOf(nil, err, c.now()))
	}
	return done{Message: "Checking " + id + ". Nothing is sent."}, err
}

func reportOf(findings []checks.Finding, err error, now time.Time) report {
	out := report{at: now}
	if err != nil {
		out.Problem = redact.Text(err.Error())
		return out
	}
	for _, f := range findings {
		each := finding{"i-check", "ok-i", string(f.Grade), f.Name, notification.AbbreviateIn(redact.Text(f.Detail)), notification.AbbreviateIn(redact.Text(f.Advice))}
		switch f.Grade {
		case checks.Failure:
			each.Icon, each.Tone = "i-broken", "no-i"
			out.Failures++
		case checks.Warning:
			each.Icon, each.Tone = "i-eye", "wait-i"
			out.Warnings++
		}
		out.Findings = append(out.Findings, each)
	}
	return out
}

// startNote says in the dialog of a start what the last check found.
func (c *Console) startNote(v operator.View) string {
	last := c.reports.find(v.Spec.ID, c.now())
	if last == nil || last.Running {
		return "It was not checked here lately."
	}
	text, _ := last.verdict()
	return "Checked " + span(c.now().Sub(last.at)) + " ago: " + text + "."
}
