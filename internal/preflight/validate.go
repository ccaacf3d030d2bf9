package preflight

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/fcm"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// validation is what FCM said of a sample.
type validation struct {
	asked   int
	counts map[fcm.Class]int
	examples map[fcm.Class]fcm.Answer // the first of its class
	unaskedErr error                    // why some were not asked
}

// validate has FCM judge the messages, each with a permit of the project's quota.
func (c *Checker) validate(ctx context.Context, id string, candidates []candidate, options Options) validation {
	h := validation{asked: len(candidates), counts: map[fcm.Class]int{}, examples: map[fcm.Class]fcm.Answer{}}
	ctx, cancel := context.WithTimeoutCause(ctx, options.Patience, fmt.Errorf("not done within %s", options.Patience))
	defer cancel()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(options.AtOnce)
	// A person waits for it: within this process it goes before everything.
	push := pacing.Push{Campaign: "preflight of " + id, Weight: 1, Priority: campaign.MaxPriority}
	for _, p := range candidates {
		group.Go(func() error {
			if err := options.Pacer.Wait(ctx, push); err != nil {
				return fmt.Errorf("wait for the quota: %w", context.Cause(ctx))
			}
			answer := options.Validator.Validate(ctx, p.message, fcm.Envelope{Target: p.target, Campaign: id, User: p.user})
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			mu.Lock()
			if h.counts[answer.Class]++; h.counts[answer.Class] == 1 {
				h.examples[answer.Class] = answer
			}
			mu.Unlock()
			if answer.Class == fcm.Quota && answer.Scope == fcm.QuotaProject {
				return options.Pacer.CloseGate(ctx, answer.RetryAfter, "429 of the project, seen by a preflight")
			}
			return nil
		})
	}
	h.unaskedErr = group.Wait()
	return h
}

// validated is how many messages FCM gave an answer about.
func (h validation) countValidated() int {
	n := 0
	for class, count := range h.counts {
		switch class {
		case fcm.NotSent, fcm.Ambiguous, fcm.Unavailable, fcm.NotFCM, fcm.Quota, fcm.Credentials:
		default:
			n += count
		}
	}
	return n
}

// dead is the share of dead tokens among those of which FCM said whether they are.
func (h validation) deadShare() Share {
	return shareOf(h.counts[fcm.Unregistered], h.counts[fcm.Unregistered]+h.counts[fcm.Sent])
}

// refusals are the answers that stop a campaign, the gravest first, with what to do.
var refusals = []struct {
	class        fcm.Class
	name, advice string
}{
	{fcm.Credentials, "credentials", "mend the credentials, or the rights of their account in the Firebase project"},
	{fcm.NotFound, "project", "check the project's id and the endpoint: FCM knows nothing there"},
	{fcm.BadMessage, "message at FCM", "mend the field: the message is wrong for everybody"},
	{fcm.TooLarge, "message at FCM", "shorten the message, or what fills it"},
	{fcm.ThirdPartyAuth, "platform", "renew the APNs key or the web push certificate in the Firebase console"},
}

// mistaken are the answers that many of stop a campaign, and some of do not.
var toleratedRefusals = []struct {
	class              fcm.Class
	kind               breaker.Kind
	name, what, advice string
}{
	{fcm.SenderMismatch, breaker.SenderMismatch, "sender", "belong to another project's sender",
		"they end as failed, and their tokens stay: is it the right project?"},
	{fcm.BadTarget, breaker.BadTarget, "targets", "are refused without a word about the message",
		"they end as failed: their tokens are probably no tokens"},
	{fcm.Other, breaker.Other, "refusals", "are refused in a way that no rule knows", "they end as failed"},
}

// maxDead is the share of dead tokens from which on an audience deserves a second look.
const maxDead = 0.2

// findings are what FCM's answers tell, and what the breaker would do about them.
func (h validation) findings(audience int64, l limits) []checks.Finding {
	if h.asked == 0 {
		return []checks.Finding{{
			Name: "fcm", Grade: checks.Warning, Detail: "nothing was validated: nobody in the sample can be sent to",
			Advice: "fanfare check tells whether the credentials are good",
		}}
	}
	found := []checks.Finding{h.summaryFinding()}
	for _, r := range refusals {
		if n := h.counts[r.class]; n > 0 {
			found = append(found, checks.Finding{
				Name: r.name, Grade: checks.Failure, Detail: fmt.Sprintf("%s of %s: %s", operator.Thousands(n), operator.Thousands(h.asked), describeAnswer(h.examples[r.class])), Advice: r.advice,
			})
		}
	}
	for _, r := range toleratedRefusals {
		if n := h.counts[r.class]; n > 0 {
			f := gradeShare(r.name, n, h.asked, audience, r.what, r.advice)
			applyLimit(&f, shareOf(n, h.countValidated()).gradeAgainst(l.thresholdOf(r.kind), audience), l.thresholdOf(r.kind))
			found = append(found, f)
		}
	}
	return append(found, h.deadFinding(audience, l.thresholdOf(breaker.Unregistered)))
}

// summary tells how many messages FCM would take.
func (h validation) summaryFinding() checks.Finding {
	f := checks.Finding{Name: "fcm", Grade: checks.Good, Detail: fmt.Sprintf("would take %s of %s, validated and not sent", operator.Thousands(h.counts[fcm.Sent]), operator.Thousands(h.asked))}
	if open := h.asked - h.countValidated(); open > 0 {
		f.Grade = checks.Warning
		f.Detail += fmt.Sprintf("; of %s nothing is known", operator.Thousands(open))
		f.Advice = h.explainUnjudged()
	}
	if h.countValidated() == 0 {
		f.Grade = checks.Failure // it cannot be vouched for
	}
	return f
}

// silence says why FCM did not judge some.
func (h validation) explainUnjudged() string {
	for _, class := range []fcm.Class{fcm.Credentials, fcm.Quota, fcm.NotFCM, fcm.Unavailable, fcm.Ambiguous, fcm.NotSent} {
		if h.counts[class] > 0 {
			return describeAnswer(h.examples[class])
		}
	}
	if h.unaskedErr != nil {
		return h.unaskedErr.Error()
	}
	return "try again"
}

func (h validation) deadFinding(audience int64, limit breaker.Threshold) checks.Finding {
	share := h.deadShare()
	f := checks.Finding{Name: "dead tokens", Grade: checks.Good, Detail: fmt.Sprintf("%s: %s", share, share.inAudience(audience))}
	if share.Of == 0 {
		f.Grade, f.Detail, f.Advice = checks.Warning, "cannot be told: FCM judged no token", h.explainUnjudged()
		return f
	}
	if share.Low > maxDead {
		f.Grade = checks.Warning
	}
	applyLimit(&f, shareOf(share.Found, h.countValidated()).gradeAgainst(limit, audience), limit)
	if f.Grade != checks.Good {
		f.Advice = "an old audience, or one of another app: find out where it comes from"
	}
	return f
}

// describeAnswer is FCM's word, the field that it names, and its sentence.
func describeAnswer(a fcm.Answer) string {
	text := cmp.Or(a.Code, a.Class.String())
	if a.Field != "" && !strings.Contains(a.Detail, a.Field) {
		text += " " + a.Field
	}
	return text + ": " + a.Detail
}
