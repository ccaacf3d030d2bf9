// Package preflight checks a campaign before it is sent. It fills the messages of a sample, has FCM
// validate them, and forecasts when the last push would go. It claims and sends nothing.
package preflight

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/checks"
	"fanfare/internal/content"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/profiles"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
)

// Validator asks FCM to check a message without delivering it.
type Validator interface {
	Validate(ctx context.Context, body []byte, target notification.Target) fcm.Answer
}

// Pacer is the part of the project's governor that a preflight uses. Its requests count against the
// quota, as all others do.
type Pacer interface {
	State(ctx context.Context) (pacing.State, error)
	Wait(ctx context.Context, p pacing.Push) error
	CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error
}

// Options configure a preflight.
type Options struct {
	// Sample is how many recipients are checked at most.
	Sample int
	// AtOnce is how many requests are in flight at most.
	AtOnce int
	// Patience limits the time of all requests together, including the wait for the quota.
	Patience time.Duration

	Validator Validator
	Pacer     Pacer
	// Limit returns the threshold at which the breaker stops a campaign. It is nil if the breaker
	// is off.
	Limit func(breaker.Kind) breaker.Threshold
}

// DefaultOptions checks 200 recipients.
func DefaultOptions() Options {
	return Options{Sample: 200, AtOnce: 20, Patience: 30 * time.Second}
}

func (p Options) validate() error {
	if p.Sample < 1 || p.AtOnce < 1 || p.Patience <= 0 {
		return fmt.Errorf("preflight of %d recipients, %d at once, within %s: all must be above zero", p.Sample, p.AtOnce, p.Patience)
	}
	return nil
}

// Report is the result of a preflight.
type Report struct {
	ID       string           `json:"id"`
	Findings []checks.Finding `json:"findings"`
	// Recipients is how many are left to send to.
	Recipients int64 `json:"recipients"`
	// Sampled is how many elements were read, and Validated how many of them FCM answered.
	Sampled   int `json:"sampled"`
	Validated int `json:"validated"`
	// Suppressed is the share of suppressed users among those that were looked up.
	Suppressed Share `json:"suppressed"`
	// Dead is the share of dead tokens among those that FCM answered.
	Dead     Share    `json:"dead"`
	Sizes    Sizes    `json:"sizes"`
	Forecast Forecast `json:"forecast"`
}

func (p *Report) add(findings ...checks.Finding) { p.Findings = append(p.Findings, findings...) }

// Deps are the rooms that a preflight reads from.
type Deps struct {
	Operator   *operator.Operator
	Campaigns  *campaign.Campaigns
	Tokens     *tokens.Store
	Profiles   *profiles.Cache
	Suppressed *suppression.Set
	Caps       *caps.Limiter // nil without caps
}

// Checker runs preflights.
type Checker struct{ deps Deps }

// New makes a Checker.
func New(deps Deps) *Checker { return &Checker{deps} }

// Run checks a campaign without sending or changing anything. It reads a sample of the audience
// without claiming it, fills the messages, and has FCM validate them. It then forecasts when the
// campaign would end. It returns campaign.ErrNotFound if there is no spec.
func (c *Checker) Run(ctx context.Context, id string, options Options) (Report, error) {
	if err := options.validate(); err != nil {
		return Report{}, err
	}
	view, err := c.deps.Operator.Show(ctx, id)
	switch {
	case err != nil:
		return Report{}, err
	case view.Err != nil && len(notification.FaultsOf(view.Err)) == 0: // faults of the message become a finding
		return Report{}, view.Err
	case view.Spec.State == "":
		return Report{}, campaign.ErrNotFound
	}
	sample, err := c.deps.Campaigns.Sample(ctx, id, options.Sample)
	if err != nil {
		return Report{}, err
	}
	report := Report{
		ID: id, Recipients: view.Books.CountOpen(), Sampled: len(sample.Recipients) + len(sample.Malformed),
	}
	report.add(stateFinding(view), audienceFinding(view.Books, sample))
	report.add(lossFindings(view)...)
	report.add(loadFindings(view.Books)...)
	known, err := c.deps.Campaigns.Projects(ctx)
	if err != nil {
		return Report{}, err
	}
	report.add(projectFindings(view.Spec, known, time.Now())...)
	if err := c.checkCaps(ctx, view.Spec, sample, &report); err != nil {
		return Report{}, err
	}
	if err := c.dryRun(ctx, view.Spec, sample, options, &report); err != nil {
		return Report{}, err
	}
	err = c.forecast(ctx, view, options.Pacer, &report)
	return report, err
}

// dryRun does what a dispatcher would do with the sample, except the delivery.
func (c *Checker) dryRun(ctx context.Context, spec campaign.Spec, sample campaign.Sample, options Options, report *Report) error {
	message, finding := compile(spec)
	report.add(finding)
	if finding.Grade == checks.Failure {
		return nil
	}
	prepared, err := c.prepare(ctx, spec.ID, message, sample)
	if err != nil {
		return err
	}
	report.Sizes, report.Suppressed = sizesOf(prepared.sizes), shareOf(prepared.suppressed, prepared.read-prepared.undecided)
	report.add(prepared.findings(report.Recipients)...)
	validated := c.validate(ctx, spec.ID, prepared.ready, options)
	report.Validated, report.Dead = validated.countValidated(), validated.deadShare()
	report.add(validated.findings(report.Recipients, options.Limit)...)
	return nil
}

// compile reads the message as CheckMessage does. It returns no message if the finding is a
// failure.
func compile(spec campaign.Spec) (*content.Content, checks.Finding) {
	ready, err := content.Compile(spec.Message)
	if err != nil {
		return nil, messageFault(err)
	}
	f := checks.Finding{Name: "message", Grade: checks.Good, Detail: "is valid, the same for all recipients"}
	if ready.IsPersonal() {
		f.Detail = "is valid, filled in for each recipient"
	}
	if unknown := content.FindUnknownPlaceholders(spec.Message); len(unknown) > 0 {
		f.Grade, f.Detail, f.Advice = checks.Warning, describeUnknown(unknown), "devices show them as they are; {{name}} and {{name|default}} are filled in"
	}
	return ready, f
}

// describeUnknown names placeholders that are those of other systems.
func describeUnknown(all []content.UnknownPlaceholder) string {
	var texts []string
	for _, each := range all {
		texts = append(texts, each.Text+" (write {{"+each.Name+"}})")
	}
	return "is valid, but has placeholders of another system: " + strings.Join(texts, ", ")
}

func messageFault(err error) checks.Finding {
	return checks.Finding{Name: "message", Grade: checks.Failure, Detail: err.Error(), Advice: "fix the campaign's message: FCM refuses it for all recipients"}
}
