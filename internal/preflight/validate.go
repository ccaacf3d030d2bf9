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

// validation holds FCM's answers to a sample.
type validation struct {
	asked      int
	counts     map[fcm.Class]int
	examples   map[fcm.Class]fcm.Answer // the first of its class
	moved      int                      // dead tokens whose app has moved to an installation ID
	unaskedErr error                    // why some were not asked
}

// validate has FCM check the messages. Each request takes a permit from the project's quota.
func (c *Checker) validate(ctx context.Context, id string, candidates []candidate, options Options) validation {
	v := validation{asked: len(candidates), counts: map[fcm.Class]int{}, examples: map[fcm.Class]fcm.Answer{}}
	ctx, cancel := context.WithTimeoutCause(ctx, options.Patience, fmt.Errorf("not done within %s", options.Patience))
	defer cancel()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(options.AtOnce)
	// A person waits for the result, so it goes first within this process.
	push := pacing.Push{Campaign: "preflight of " + id, Weight: 1, Priority: campaign.MaxPriority}
	for _, p := range candidates {
		group.Go(func() error {
			if err := options.Pacer.Wait(ctx, push); err != nil {
				return fmt.Errorf("wait for the quota: %w", context.Cause(ctx))
			}
			answer, hasMoved, err := c.validateOne(ctx, id, p, options, push)
			if err != nil {
				return err
			}
			mu.Lock()
			if hasMoved {
				v.moved++
			}
			if v.counts[answer.Class]++; v.counts[answer.Class] == 1 {
				v.examples[answer.Class] = answer
			}
			mu.Unlock()
			if answer.Class == fcm.Quota && answer.Scope == fcm.QuotaProject {
				return options.Pacer.CloseGate(ctx, answer.RetryAfter, "429 of the project, received by a preflight")
			}
			return nil
		})
	}
	v.unaskedErr = group.Wait()
	return v
}

// validateOne has FCM check the message of one recipient. A dispatcher sends to the installation ID
// of a dead token if the ID is stored for the user, so the answer to that counts.
func (c *Checker) validateOne(ctx context.Context, id string, p candidate, options Options, push pacing.Push) (answer fcm.Answer, hasMoved bool, err error) {
	answer = options.Validator.Validate(ctx, p.body(id), p.target)
	if answer.Class == fcm.Unregistered {
		successor, err := c.deps.Tokens.FindInstallation(ctx, p.user, p.target)
		if err != nil || successor.IsZero() {
			return answer, false, context.Cause(ctx) // what is not known to have moved counts as dead
		}
		if err := options.Pacer.Wait(ctx, push); err != nil {
			return answer, false, fmt.Errorf("wait for the quota: %w", context.Cause(ctx))
		}
		p.target, hasMoved = successor, true
		answer = options.Validator.Validate(ctx, p.body(id), p.target)
	}
	if ctx.Err() != nil {
		return answer, hasMoved, context.Cause(ctx)
	}
	return answer, hasMoved, nil
}

// countValidated returns how many messages FCM answered.
func (v validation) countValidated() int {
	n := 0
	for class, count := range v.counts {
		switch class {
		case fcm.NotSent, fcm.Ambiguous, fcm.Unavailable, fcm.NotFCM, fcm.Quota, fcm.Credentials:
		default:
			n += count
		}
	}
	return n
}

// deadShare is the share of dead tokens among those that FCM answered.
func (v validation) deadShare() Share {
	return shareOf(v.counts[fcm.Unregistered], v.counts[fcm.Unregistered]+v.counts[fcm.Sent])
}

// refusals are the answers that stop a campaign, the worst first, with the operator's next step.
var refusals = []struct {
	class        fcm.Class
	name, advice string
}{
	{fcm.Credentials, "credentials", "fix the credentials, or the rights of their account in the Firebase project"},
	{fcm.NotFound, "project", "check the project's id and the endpoint: FCM answers 404 there"},
	{fcm.BadMessage, "message at FCM", "fix the field: the message is wrong for all recipients"},
	{fcm.TooLarge, "message at FCM", "shorten the message, or what fills it"},
	{fcm.ThirdPartyAuth, "platform", "renew the APNs key or the web push certificate in the Firebase console"},
}

// toleratedRefusals are the answers that stop a campaign only if there are many of them.
var toleratedRefusals = []struct {
	class              fcm.Class
	kind               breaker.Kind
	name, what, advice string
}{
	{fcm.SenderMismatch, breaker.SenderMismatch, "sender", "belong to another project's sender",
		"they end as failed, and their tokens stay: is it the right project?"},
	{fcm.BadTarget, breaker.BadTarget, "targets", "are refused, and FCM names no field of the message",
		"they end as failed: their tokens are probably invalid"},
	{fcm.Other, breaker.Other, "refusals", "are refused with an answer that no rule covers", "they end as failed"},
}

// maxDead is the share of dead tokens above which an audience gets a warning.
const maxDead = 0.2

// findings describe FCM's answers, and what the breaker would do about them.
func (v validation) findings(audience int64, l limits) []checks.Finding {
	if v.asked == 0 {
		return []checks.Finding{{
			Name: "fcm", Grade: checks.Warning, Detail: "nothing was validated: no one in the sample can be sent to",
			Advice: "run fanfare check to test the credentials",
		}}
	}
	found := []checks.Finding{v.summaryFinding()}
	for _, r := range refusals {
		if n := v.counts[r.class]; n > 0 {
			found = append(found, checks.Finding{
				Name: r.name, Grade: checks.Failure, Detail: fmt.Sprintf("%s of %s: %s", operator.Thousands(n), operator.Thousands(v.asked), describeAnswer(v.examples[r.class])), Advice: r.advice,
			})
		}
	}
	for _, r := range toleratedRefusals {
		if n := v.counts[r.class]; n > 0 {
			f := gradeShare(r.name, n, v.asked, audience, r.what, r.advice)
			applyLimit(&f, shareOf(n, v.countValidated()).gradeAgainst(l.thresholdOf(r.kind), audience), l.thresholdOf(r.kind))
			found = append(found, f)
		}
	}
	return append(found, v.deadFinding(audience, l.thresholdOf(breaker.Unregistered)))
}

// summaryFinding says how many messages FCM would accept.
func (v validation) summaryFinding() checks.Finding {
	f := checks.Finding{Name: "fcm", Grade: checks.Good, Detail: fmt.Sprintf("accepts %s of %s (validated, not sent)", operator.Thousands(v.counts[fcm.Sent]), operator.Thousands(v.asked))}
	if open := v.asked - v.countValidated(); open > 0 {
		f.Grade = checks.Warning
		f.Detail += fmt.Sprintf("; %s were not answered", operator.Thousands(open))
		f.Advice = v.explainUnanswered()
	}
	if v.countValidated() == 0 {
		f.Grade = checks.Failure // nothing is known about the message
	}
	return f
}

// explainUnanswered says why FCM did not answer some messages.
func (v validation) explainUnanswered() string {
	for _, class := range []fcm.Class{fcm.Credentials, fcm.Quota, fcm.NotFCM, fcm.Unavailable, fcm.Ambiguous, fcm.NotSent} {
		if v.counts[class] > 0 {
			return describeAnswer(v.examples[class])
		}
	}
	if v.unaskedErr != nil {
		return v.unaskedErr.Error()
	}
	return "run the check again"
}

func (v validation) deadFinding(audience int64, limit breaker.Threshold) checks.Finding {
	share := v.deadShare()
	f := checks.Finding{Name: "dead tokens", Grade: checks.Good, Detail: fmt.Sprintf("%s: %s", share, share.inAudience(audience))}
	if v.moved > 0 {
		f.Detail += fmt.Sprintf("; %s moved to an installation ID, which is sent to instead", operator.Thousands(v.moved))
	}
	if share.Of == 0 {
		f.Grade, f.Detail, f.Advice = checks.Warning, "unknown: FCM answered for no token", v.explainUnanswered()
		return f
	}
	if share.Low > maxDead {
		f.Grade = checks.Warning
	}
	applyLimit(&f, shareOf(share.Found, v.countValidated()).gradeAgainst(limit, audience), limit)
	if f.Grade != checks.Good {
		f.Advice = "the audience is old or belongs to another app: find out where it comes from"
	}
	return f
}

// describeAnswer returns FCM's error code, the field that it names, and its text.
func describeAnswer(a fcm.Answer) string {
	text := cmp.Or(a.Code, a.Class.String())
	if a.Field != "" && !strings.Contains(a.Detail, a.Field) {
		text += " " + a.Field
	}
	return text + ": " + a.Detail
}
