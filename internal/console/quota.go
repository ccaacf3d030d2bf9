package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// quotaContent is the page of quota and fleet, or of one of several projects.
type quotaContent struct {
	Project string       // on the page of one of several
	URL     string       // of the project, without an action
	Rows    []projectRow // the projects, if there are several
	Known   bool
	Stop    *stop
	Now     string
	Limit   string
	Used    bar
	Share   string
	Facts   []fact
	Raise   *raise
	Halted  bool
	Halts   []halt
	Waiting int
	History []historyItem
	Operate bool
	Fleet   *fleetContent // nil on the page of one of several projects
}

// stop is why the project sends nothing, with the seconds that are left.
type stop struct {
	Tone, Title, Text string
	Seconds           int // 0: it does not end by the clock
	Turn              string
}

type halt struct{ Reason, By, Since string }

// maxRing is the number of seconds that the ring shows as full.
const maxRing = 60

// quotaModel shows the pace of the only project, or lists several.
func (c *Console) quotaModel(ctx context.Context, s *Snapshot, r *http.Request) (any, string, error) {
	fleet := c.fleetOf(s, c.health.latest())
	out := quotaContent{Operate: viewerOf(r).Operate, Fleet: &fleet, URL: c.opts.Prefix + "/quota"}
	if only, ok := s.findProject(""); ok {
		c.fillQuota(ctx, &out, s, only)
	} else {
		out.Rows = c.projectRows(s)
	}
	return out, "Quota and fleet", nil
}

// projectModel shows the pace of one project.
func (c *Console) projectModel(ctx context.Context, s *Snapshot, r *http.Request) (any, string, error) {
	id := r.PathValue("id")
	project, known := s.findProject(id)
	if !known {
		return nil, "", c.noSuchProject(id)
	}
	out := quotaContent{Operate: viewerOf(r).Operate, Project: id, URL: c.projectURL(id)}
	c.fillQuota(ctx, &out, s, project)
	return out, id, nil
}

// fillQuota sets what is known of a project's pace.
func (c *Console) fillQuota(ctx context.Context, out *quotaContent, s *Snapshot, project projectState) {
	if project.Pace == nil {
		return
	}
	p := project.Pace
	limit, now := p.Settings.Rate(), s.rateOf(project.ID)
	out.Known, out.Now, out.Limit = true, rate(now), rate(limit)
	out.Share = share(int64(now), int64(limit))
	out.Used = barTo("f-ink", out.Now+" of "+out.Limit+" a second", int64(now), int64(limit))
	out.Waiting = s.waitingIn(project.ID)
	out.Stop = stopOf(*p, out.Waiting)
	for _, h := range p.Halts {
		out.Halted = true
		out.Halts = append(out.Halts, halt{h.Reason, h.By, clock(h.Since, s.At) + " UTC"})
	}
	out.Facts, out.Raise = quotaFacts(*p), c.raiseOf(ctx, s, project)
	served, _ := c.deps.Projects.Find(project.ID)
	if entries, err := served.Pace.History(ctx); err == nil { // the health panel says what is down
		out.History = historyItems(entries, s.At)
	}
}

func quotaFacts(p pacing.State) []fact {
	set := "the dispatchers’ settings"
	if p.Overridden {
		set = "an operator"
	}
	avoided := "not avoided"
	if p.Settings.AvoidQuarterHours {
		avoided = "avoided for two minutes on both sides"
	}
	return []fact{
		{Label: "Granted by Firebase", Value: operator.Thousands(p.Settings.Quota) + " a minute"},
		{Label: "Headroom, left unused", Value: operator.Decimal(100*p.Settings.Headroom) + "%"},
		{Label: "Even pace", Value: rate(p.Settings.Rate()) + " a second"},
		{Label: "Allowed now", Value: rate(p.Rate) + " a second"},
		{Label: "Ramp", Value: fmt.Sprintf("%s after each stop, %.0f%% done", operator.Span(p.Settings.Ramp), 100*p.Warm)},
		{Label: "Quarter hours", Value: avoided},
		{Label: "Set by", Value: set},
	}
}

// stopOf returns what stops the project; nil if it sends.
func stopOf(p pacing.State, waiting int) *stop {
	held := operator.FindHold(p)
	if held == nil {
		return nil
	}
	waits := plural(int64(waiting), "running campaign waits", "running campaigns wait") + ", no one is lost."
	switch held.Cause {
	case operator.CauseHalt:
		ends := "until someone resumes it"
		if held.EndsByItself {
			ends = "until FCM answers a probe, or someone resumes it"
		}
		return &stop{Tone: "is-broken", Title: "The project is halted", Text: held.Reason + ", " + ends + ". " + waits}
	case operator.CauseQuarterHour:
		return withRing(stop{Tone: "is-held", Title: "A quarter hour is avoided", Text: "Continues at " + held.Until.Format("15:04:05") + " UTC. " + waits}, held.Until.Sub(p.Now))
	}
	asked := ""
	if p.Gate.By == pacing.ByFCM {
		asked = ", as Retry-After asks"
	}
	return withRing(stop{
		Tone: "is-held", Title: "Sending paused" + p.Gate.Cause(),
		Text: "Opens by itself at " + held.Until.UTC().Format("15:04:05") + " UTC" + asked + "; then the pace grows. " + waits,
	}, held.Until.Sub(p.Now))
}

// withRing sets the seconds that are left.
func withRing(s stop, left time.Duration) *stop {
	s.Seconds = max(1, int(left.Round(time.Second).Seconds()))
	s.Turn = fmt.Sprintf("%d %d", min(s.Seconds, maxRing), maxRing)
	return &s
}

// quotaDialog asks before a project is halted or resumed; the id "" is the only one.
func (c *Console) quotaDialog(s *Snapshot, id, action string) (dialog, bool) {
	project, known := s.findProject(id)
	if !known || project.Pace == nil {
		return dialog{}, false
	}
	d := dialog{Action: action, URL: c.opts.Prefix + "/quota/" + action}
	if id != "" {
		d.URL = c.projectURL(id) + "/" + action
	}
	var open int64
	running := s.runningOf(project.ID)
	for _, each := range running {
		open += each.Books.CountOpen()
	}
	switch action {
	case "halt":
		d.Title, d.Text = "Halt "+project.ID+"?", "No campaign of the project sends until someone resumes it. Pushes on the wire finish."
		d.Effects = []effect{{"Campaigns that stop", int64(len(running))}, {"People who wait then", open}}
		d.Reason, d.Keep, d.Do = true, "Keep sending", "Halt "+operator.Thousands(len(running))
	case "resume":
		d.Title, d.Text = "Resume "+project.ID+"?", "All halts end. The pace grows from zero during the ramp."
		d.Effects = []effect{{"Campaigns that continue", int64(len(running))}, {"People who wait", open}}
		d.Keep, d.Do = "Leave it", "Resume"
	default:
		return d, false
	}
	return d, true
}

// actOnQuota halts or resumes a project; a path without an id means the only one.
func (c *Console) actOnQuota(r *http.Request) (done, error) {
	id := r.PathValue("id")
	project, known := c.deps.Projects.Find(id)
	if id == "" {
		project, known = c.deps.Projects.Single()
	}
	switch {
	case id != "" && !known:
		return done{}, c.noSuchProject(id)
	case len(c.deps.Projects) > 1 && !known:
		return done{}, &inputError{"There are several projects: choose one of " + strings.Join(c.deps.Projects.IDs(), ", ") + "."}
	case project.Pace == nil:
		return done{}, &inputError{"The project's pace is not known to this console."}
	}
	ctx := asActor(r, viewerOf(r))
	switch r.PathValue("action") {
	case "halt":
		return done{Message: "Halted " + project.ID + "."}, project.Pace.Halt(ctx, reasonOf(r))
	case "resume":
		return done{Message: "Resumed " + project.ID + "."}, project.Pace.Resume(ctx)
	}
	return done{}, &inputError{"There is no such action."}
}
