// Package preflight looks at a campaign before it is sent. It fills a sample's messages, has FCM validate them, and forecasts
// when the last push would go. Nothing is claimed and nothing is sent.
package preflight

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/content"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/profiles"
	"fanfare/internal/tokens"
)

// Validator asks FCM to judge a message without delivering it.
type Validator interface {
	Validate(ctx context.Context, m *fcm.Message, e fcm.Envelope) fcm.Answer
}

// Pacer is what a preflight needs of the project's governor: its requests count against the quota as all others do.
type Pacer interface {
	State(ctx context.Context) (pacing.State, error)
	Wait(ctx context.Context, p pacing.Push) error
	CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error
}

// Options are what a preflight is given.
type Options struct {
	// Sample bounds the recipients that are looked at.
	Sample int
	// AtOnce bounds the requests in flight.
	AtOnce int
	// Patience bounds the time that all requests together may take, with their wait for the quota.
	Patience time.Duration

	Validator Validator
	Pacer     Pacer
	// Limit is what the breaker stops a campaign at; nil where none watches.
	Limit func(breaker.Kind) breaker.Threshold
}

// DefaultOptions looks at 200 recipients.
func DefaultOptions() Options {
	return Options{Sample: 200, AtOnce: 20, Patience: 30 * time.Second}
}

func (p Options) validate() error {
	if p.Sample < 1 || p.AtOnce < 1 || p.Patience <= 0 {
		return fmt.Errorf("preflight of %d recipients, %d at once, within %s: all must be above zero", p.Sample, p.AtOnce, p.Patience)
	}
	return nil
}

// Report is what was found out about a campaign without sending anything.
type Report struct {
	ID       string           `json:"id"`
	Findings []checks.Finding `json:"findings"`
	// Recipients are all that are left to send to.
	Recipients int64 `json:"recipients"`
	// Sampled elements were read, and Validated of them judged by FCM.
	Sampled   int `json:"sampled"`
	Validated int `json:"validated"`
	// Dead tokens among those of which FCM said whether they are.
	Dead     Share    `json:"dead"`
	Sizes    Sizes    `json:"sizes"`
	Forecast Forecast `json:"forecast"`
}

func (p *Report) add(findings ...checks.Finding) { p.Findings = append(p.Findings, findings...) }

// Deps are the rooms that a preflight reads from.
type Deps struct {
	Operator  *operator.Operator
	Campaigns *campaign.Campaigns
	Tokens    *tokens.Store
	Profiles  *profiles.Cache
}

// Checker runs preflights.
type Checker struct{ deps Deps }

// New makes a Checker.
func New(deps Deps) *Checker { return &Checker{deps} }

// Run looks at a sample of a campaign's audience without claiming it, fills its messages, has FCM validate them, and
// forecasts when the campaign would end. Nothing is sent, and nothing changed. campaign.ErrNotFound: there is no spec.
func (c *Checker) Run(ctx context.Context, id string, options Options) (Report, error) {
	if err := options.validate(); err != nil {
		return Report{}, err
	}
	view, err := c.deps.Operator.Show(ctx, id)
	switch {
	case err != nil:
		return Report{}, err
	case view.Err != nil && len(notification.FaultsOf(view.Err)) == 0: // faults of the message are a finding
		return Report{}, view.Err
	case view.Spec.State == "":
		return Report{}, campaign.ErrNotFound
	}
	sample, err := c.deps.Campaigns.Sample(ctx, id, options.Sample)
	if err != nil {
		return Report{}, err
	}
	report := Report{
		ID: id, Recipients: view.Books.Open(), Sampled: len(sample.Recipients) + len(sample.Malformed),
	}
	report.add(stateFinding(view), audienceFinding(view.Books, sample))
	report.add(lossFindings(view)...)
	known, err := c.deps.Campaigns.Projects(ctx)
	if err != nil {
		return Report{}, err
	}
	report.add(projectFindings(view.Spec, known, time.Now())...)
	if err := c.dryRun(ctx, view.Spec, sample, options, &report); err != nil {
		return Report{}, err
	}
	return report, c.forecast(ctx, view, options.Pacer, &report)
}

// dryRun does what a dispatcher would do with the sample, up to the delivery.
func (c *Checker) dryRun(ctx context.Context, spec campaign.Spec, sample campaign.Sample, options Options, report *Report) error {
	message, finding := compile(spec)
	report.add(finding)
	if finding.Grade == checks.Failure {
		return nil
	}
	prepared, err := c.prepare(ctx, message, sample)
	if err != nil {
		return err
	}
	report.Sizes = sizesOf(prepared.sizes)
	report.add(prepared.findings(report.Recipients)...)
	judged := c.validate(ctx, spec.ID, prepared.ready, options)
	report.Validated, report.Dead = judged.countValidated(), judged.deadShare()
	report.add(judged.findings(report.Recipients, options.Limit)...)
	return nil
}

// compiledMessage is a campaign's message, ready to be filled.
type compiledMessage struct {
	message  *fcm.Message
	template *profiles.Template
}

// compile reads the message as CheckMessage does; there is none where the finding is a failure.
func compile(spec campaign.Spec) (compiledMessage, checks.Finding) {
	ready, err := content.Compile(spec.Message)
	if err != nil {
		return compiledMessage{}, messageFault(err)
	}
	f := checks.Finding{Name: "message", Grade: checks.Good, Detail: "reads as FCM's, the same for everybody"}
	if ready.Template.IsPersonal() {
		f.Detail = "reads as FCM's, filled in for each recipient"
	}
	return compiledMessage{ready.Message, ready.Template}, f
}

func messageFault(err error) checks.Finding {
	return checks.Finding{Name: "message", Grade: checks.Failure, Detail: err.Error(), Advice: "fix the campaign's message: FCM refuses it for everybody"}
}
