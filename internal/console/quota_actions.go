package console

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// quotaURL is the page of a project's quota; that of the only one has no id.
func (c *Console) quotaURL(id string) string {
	if id == "" {
		return c.opts.Prefix + "/quota"
	}
	return c.projectURL(id)
}

// quotaDialog asks before a project is halted or resumed; the id "" is the only one.
func (c *Console) quotaDialog(s *Snapshot, id, action string) (dialog, bool) {
	project, known := s.findProject(id)
	if !known || project.Pace == nil {
		return dialog{}, false
	}
	d := dialog{Action: action, URL: c.quotaURL(id) + "/" + action}
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
	case "open":
		if !isClosedByHand(*project.Pace) {
			return d, false
		}
		d.Title, d.Text = "Open the gate of "+project.ID+"?", "It was closed by hand. The pace grows from zero during the ramp; other halts stay."
		d.Effects = []effect{{"Campaigns that continue", int64(len(running))}, {"People who wait", open}}
		d.Keep, d.Do = "Leave it closed", "Open it for "+operator.Thousands(open)
	case "set":
		askQuota(&d, project, len(running), open)
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
		back := &wayBack{c.quotaURL(id) + "/resume", "Resume…"}
		return done{Message: "Halted " + project.ID + ".", Back: back}, project.Pace.Halt(ctx, reasonOf(r))
	case "resume":
		back := &wayBack{c.quotaURL(id) + "/halt", "Halt…"}
		return done{Message: "Resumed " + project.ID + ".", Back: back}, project.Pace.Resume(ctx)
	case "open":
		_, err := project.Pace.ResumeFrom(ctx, pacing.ClosedByHand)
		return done{Message: "Opened the gate of " + project.ID + "."}, err
	case "set":
		return setQuota(ctx, r, project)
	}
	return done{}, &inputError{"There is no such action."}
}

func isClosedByHand(s pacing.State) bool {
	return slices.ContainsFunc(s.Halts, func(h pacing.Halt) bool { return h.Reason == pacing.ClosedByHand })
}

// askQuota fills the dialog that sets the quota of a project.
func askQuota(d *dialog, project projectState, running int, open int64) {
	set := project.Pace.Settings
	d.Title, d.Text = "Set the quota of "+project.ID+"?", "In force in all dispatchers within two seconds, before their own settings, until fanfare quota reset. What Firebase grants does not change."
	d.Changes = []change{{"In force", "", operator.Thousands(set.Quota) + " a minute"}, {"Even pace now", "", rate(set.Rate()) + " a second"}}
	d.Effects = []effect{{"Running campaigns that share it", int64(running)}, {"People who wait", open}}
	d.Fields = []field{
		{Name: "per_minute", Label: "Quota", Value: strconv.Itoa(set.Quota), Unit: "a minute", Numeric: true},
		{Name: "headroom", Label: "Headroom", Value: operator.Decimal(100 * set.Headroom), Unit: "% unused", Numeric: true},
		{Name: "ramp", Label: "Ramp", Value: operator.Decimal(set.Ramp.Seconds()), Unit: "seconds", Numeric: true},
	}
	d.Keep, d.Do = "Leave it", "Set the quota"
}

// setQuota sets what the form says. What it does not ask for stays.
func setQuota(ctx context.Context, r *http.Request, project operator.Project) (done, error) {
	state, err := project.Pace.State(ctx)
	if err != nil {
		return done{}, err
	}
	set := state.Settings
	number := func(name string) float64 {
		n, err := strconv.ParseFloat(strings.TrimSpace(r.PostFormValue(name)), 64)
		if err != nil || math.IsNaN(n) {
			return -1 // refused below
		}
		return n
	}
	quota, headroom, ramp := number("per_minute"), number("headroom"), number("ramp")
	if quota != float64(int(quota)) || quota < 1 || quota > pacing.MaxQuota {
		return done{}, &inputError{"Quota is a whole number from 1 to " + operator.Thousands(pacing.MaxQuota) + " a minute."}
	}
	if headroom < 0 || headroom > 100*pacing.MaxHeadroom {
		return done{}, &inputError{"Headroom is 0 to " + operator.Decimal(100*pacing.MaxHeadroom) + "%."}
	}
	if ramp < 0 || ramp > pacing.MaxRamp.Seconds() {
		return done{}, &inputError{"Ramp is 0 to " + operator.Decimal(pacing.MaxRamp.Seconds()) + " seconds."}
	}
	set.Quota, set.Headroom, set.Ramp = int(quota), headroom/100, time.Duration(ramp*float64(time.Second))
	if err := set.Validate(); err != nil {
		return done{}, &inputError{capital(err.Error()) + "."}
	}
	return done{Message: "Set the quota of " + project.ID + ": " + operator.Thousands(set.Quota) + " a minute, an even pace of " + rate(set.Rate()) + " a second."}, project.Pace.Set(ctx, set)
}
