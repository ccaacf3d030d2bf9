package preflight

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/checks"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

func stateFinding(v operator.View) checks.Finding {
	f := checks.Finding{Name: "campaign", Grade: checks.Good, Detail: "is " + string(v.Spec.State)}
	switch {
	case v.Spec.State.IsFinal():
		f.Grade, f.Advice = checks.Failure, "it sends no more: create another campaign"
	case v.Spec.State == campaign.Paused && v.Spec.Reason != "":
		f.Grade, f.Detail = checks.Warning, "is paused"
		if v.Spec.PausedBy != "" {
			f.Detail += " by " + v.Spec.PausedBy
		}
		f.Detail += ": " + v.Spec.Reason
		f.Advice = "fix what paused it before you resume it"
	}
	return f
}

func audienceFinding(b campaign.Books, s campaign.Sample) checks.Finding {
	read := len(s.Recipients) + len(s.Malformed)
	f := checks.Finding{Name: "audience", Grade: checks.Good, Detail: fmt.Sprintf("%s recipients left; %s read from the list's head, middle and tail", operator.Thousands(b.CountOpen()), operator.Thousands(read))}
	switch {
	case b.CountOpen() == 0:
		f.Grade, f.Detail, f.Advice = checks.Failure, "no one is left to send to", "load the audience, or check whether its list has expired"
	case read == 0:
		f.Grade, f.Advice = checks.Warning, "all that are left are in flight or retrying and cannot be sampled"
	}
	return f
}

// loadFindings warn about a load that is held back: it continues only once the campaign runs.
func loadFindings(b campaign.Books) []checks.Finding {
	if !b.Load.IsHeld() {
		return nil
	}
	return []checks.Finding{{
		Name: "load", Grade: checks.Warning,
		Detail: fmt.Sprintf("is held back, %s recipients so far: the rest of its audience is in no figure of this check", operator.Thousands(b.Interrupted)),
		Advice: "reckon with the whole audience yourself; or load it with --hold 0 before you check, if Redis has room for it",
	}}
}

// lossFindings report recipients that are missing, and a load that did not finish.
func lossFindings(v operator.View) []checks.Finding {
	var all []checks.Finding
	for _, loss := range v.Losses() {
		all = append(all, checks.Finding{Name: "complete audience", Grade: checks.Failure, Detail: loss.What, Advice: loss.Advice})
	}
	return all
}

// projectFindings warn about a campaign that no dispatcher would take. A campaign without a project
// gets the only known one.
func projectFindings(spec campaign.Spec, known []campaign.Project, now time.Time) []checks.Finding {
	problem, advice := operator.ProjectProblem(spec, known, now)
	if problem == "" {
		return nil
	}
	return []checks.Finding{{Name: "dispatchers", Grade: checks.Warning, Detail: problem, Advice: advice}}
}

// checkCaps says how many of the sample are capped now. Transactional campaigns are exempt.
func (c *Checker) checkCaps(ctx context.Context, spec campaign.Spec, sample campaign.Sample, report *Report) error {
	if c.deps.Caps == nil || spec.Kind == campaign.Transactional || len(sample.Recipients) == 0 {
		return nil
	}
	users := make([]string, len(sample.Recipients))
	for i, r := range sample.Recipients {
		users[i] = r.UserID
	}
	found, err := c.deps.Caps.Find(ctx, users)
	if err != nil {
		return err
	}
	capped := 0
	for _, usages := range found {
		if slices.ContainsFunc(usages, func(u caps.Usage) bool { return !u.FreesAt.IsZero() }) {
			capped++
		}
	}
	report.add(gradeShare("caps", capped, len(users), report.Recipients, "are capped now",
		"they end as skipped with CAPPED; wait until their caps free, or set --kind transactional if they wait for the message"))
	return nil
}

// gradeShare grades a problem that part of the sample has. It is a failure if all have it, a
// warning if some do.
func gradeShare(name string, found, of int, audience int64, what, advice string) checks.Finding {
	share := shareOf(found, of)
	if found == 0 {
		return checks.Finding{Name: name, Grade: checks.Good, Detail: fmt.Sprintf("%s of %s %s", operator.Thousands(found), operator.Thousands(of), what)}
	}
	f := checks.Finding{Name: name, Grade: checks.Warning, Detail: fmt.Sprintf("%s %s: %s", share, what, share.inAudience(audience)), Advice: advice}
	if found == of {
		f.Grade = checks.Failure
	}
	return f
}

// findings describe what the sample shows before FCM is asked. An empty sample has none.
func (a *audienceSample) findings(audience int64) []checks.Finding {
	all := a.read + len(a.malformed)
	if all == 0 {
		return nil
	}
	found := []checks.Finding{gradeShare("elements", len(a.malformed), all, audience, "cannot be read", "")}
	if len(a.malformed) > 0 {
		found[0].Advice = "they end as failed; the first: " + a.malformed[0].Error()
	}
	if a.lookupErr != nil {
		found = append(found, checks.Finding{
			Name: "look-up", Grade: checks.Failure, Detail: fmt.Sprintf("%s of %s could not be looked up: %v", operator.Thousands(a.undecided), operator.Thousands(a.read), a.lookupErr),
			Advice: "run fanfare check to find the cause",
		})
	}
	if asked := a.read - a.undecided; asked > 0 {
		found = append(found, a.contentFindings(asked, audience)...)
	}
	return found
}

func (a *audienceSample) contentFindings(of int, audience int64) []checks.Finding {
	missing, names := a.countUnfilled()
	found := []checks.Finding{
		a.suppressedFinding(of, audience),
		gradeShare("tokens", a.tokenless, of, audience, "have no token", "they end as skipped: there is no token in the element, in Redis or in SQL"),
		gradeShare("placeholders", missing, of, audience, "lack a value", fmt.Sprintf("they end as skipped: give %s a default, as in {{name|there}}", names)),
	}
	if len(a.invalid) > 0 {
		found = append(found, gradeShare("invalid tokens", len(a.invalid), of, audience, "have a token that FCM cannot have issued",
			"they end as failed ("+notification.CodeInvalidToken+"); of the first, "+a.invalid[0].Error()))
	}
	if len(a.unparsable) > 0 {
		found = append(found, gradeShare("values", len(a.unparsable), of, audience, "break the message", "they end as failed; the first: "+a.unparsable[0].Error()))
	}
	return append(found, a.sizeFinding(of, audience))
}

// suppressedFinding says how many users are suppressed: all of them if the sample is the audience,
// else those in the sample. They are wanted, so it warns only if no one else is left.
func (a *audienceSample) suppressedFinding(of int, audience int64) checks.Finding {
	f := checks.Finding{Name: "suppressed", Grade: checks.Good}
	if int64(of+len(a.malformed)) == audience {
		f.Detail = fmt.Sprintf("%s of %s get no push; all were looked up", operator.Thousands(a.suppressed), operator.Thousands(of))
	} else {
		f.Detail = fmt.Sprintf("%s in the sample get no push: %s", shareOf(a.suppressed, of), shareOf(a.suppressed, of).inAudience(audience))
	}
	if a.suppressed == of {
		f.Grade, f.Advice = checks.Warning, "check that the right users are suppressed: fanfare suppress list"
	}
	return f
}

func (a *audienceSample) sizeFinding(of int, audience int64) checks.Finding {
	s := sizesOf(a.sizes)
	f := gradeShare("size", a.tooLarge, of, audience, fmt.Sprintf("are over FCM's limit of %s bytes", operator.Thousands(s.Limit)), "they end as failed: shorten the message, or what fills it")
	if len(a.sizes) > 0 && a.tooLarge == 0 {
		f.Detail = fmt.Sprintf("%s bytes at least, %s in the median, %s at most; the limit is %s", operator.Thousands(s.Min), operator.Thousands(s.Median), operator.Thousands(s.Max), operator.Thousands(s.Limit))
	}
	return f
}
