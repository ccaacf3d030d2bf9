package console

import (
	"context"
	"fmt"
	"net/http"
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
	Even    string // pushes of the minute so far at an even pace
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
	OpenWhy           string // why no one can open the gate; "" if someone can, or if it is no gate
	CanOpen           bool
	Then              *timetable // nil: it does not end by the clock
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
	used, allowed := s.minuteOf(project)
	out.Known, out.Now, out.Limit = true, operator.Thousands(used), operator.Thousands(allowed)
	out.Share, out.Used = share(used, allowed), minuteBarTo(used, allowed)
	out.Even = operator.Thousands(int64(p.Settings.Rate() * p.Now.Sub(p.Now.Truncate(time.Minute)).Seconds()))
	out.Waiting = s.waitingIn(project.ID)
	out.Stop = stopOf(*p, out.Waiting)
	if out.Stop != nil {
		out.Stop.CanOpen = isClosedByHand(*p)
	}
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
	asked, why := "", "it was closed for a while, and opens by itself"
	if p.Gate.By == pacing.ByFCM {
		asked, why = ", as Retry-After asks", "FCM asked for it"
	}
	return withRing(stop{
		OpenWhy: why,
		Tone:    "is-held", Title: "Sending paused" + p.Gate.Cause(),
		Then: timetableOf(p, held.Until),
		Text: "Opens by itself at " + held.Until.UTC().Format("15:04:05") + " UTC" + asked + "; then the pace grows. " + waits,
	}, held.Until.Sub(p.Now))
}

// withRing sets the seconds that are left.
func withRing(s stop, left time.Duration) *stop {
	s.Seconds = max(1, int(left.Round(time.Second).Seconds()))
	s.Turn = fmt.Sprintf("%d %d", min(s.Seconds, maxRing), maxRing)
	return &s
}
