package operator

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/profiles"
)

// Validator asks FCM to judge a message without delivering it.
type Validator interface {
	Validate(ctx context.Context, m *fcm.Message, e fcm.Envelope) fcm.Answer
}

// Pacer is what a preflight needs of the project's governor: its requests count against the quota as all others do.
type Pacer interface {
	State(ctx context.Context) (pacing.State, error)
	Wait(ctx context.Context, p pacing.Push) error
	Close(ctx context.Context, retryAfter time.Duration, reason string) error
}

// PreflightOptions are what a preflight is given.
type PreflightOptions struct {
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

// DefaultPreflight looks at 200 recipients.
func DefaultPreflight() PreflightOptions {
	return PreflightOptions{Sample: 200, AtOnce: 20, Patience: 30 * time.Second}
}

func (p PreflightOptions) validate() error {
	if p.Sample < 1 || p.AtOnce < 1 || p.Patience <= 0 {
		return fmt.Errorf("preflight of %d recipients, %d at once, within %s: all must be above zero", p.Sample, p.AtOnce, p.Patience)
	}
	return nil
}

// Preflight is what was found out about a campaign without sending anything.
type Preflight struct {
	ID       string    `json:"id"`
	Findings []Finding `json:"findings"`
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

func (p *Preflight) add(findings ...Finding) { p.Findings = append(p.Findings, findings...) }

// Preflight looks at a sample of a campaign's audience without claiming it, fills its messages, has FCM validate them, and
// forecasts when the campaign would end. Nothing is sent, and nothing changed. campaign.ErrNotFound: there is no spec.
func (o *Operator) Preflight(ctx context.Context, id string, options PreflightOptions) (Preflight, error) {
	if err := options.validate(); err != nil {
		return Preflight{}, err
	}
	view, err := o.Show(ctx, id)
	switch {
	case err != nil:
		return Preflight{}, err
	case view.Err != nil && len(notification.FaultsOf(view.Err)) == 0: // faults of the message are a finding
		return Preflight{}, view.Err
	case view.Spec.State == "":
		return Preflight{}, campaign.ErrNotFound
	}
	sample, err := o.deps.Campaigns.Sample(ctx, id, options.Sample)
	if err != nil {
		return Preflight{}, err
	}
	report := Preflight{
		ID: id, Recipients: view.Books.Open(), Sampled: len(sample.Recipients) + len(sample.Malformed),
	}
	report.add(stateFinding(view), audienceFinding(view.Books, sample))
	report.add(lossFindings(view)...)
	if err := o.rehearse(ctx, view.Spec, sample, options, &report); err != nil {
		return Preflight{}, err
	}
	return report, o.forecast(ctx, view, options.Pacer, &report)
}

// rehearse does with the sample what a dispatcher would, up to the delivery.
func (o *Operator) rehearse(ctx context.Context, spec campaign.Spec, sample campaign.Sample, options PreflightOptions, report *Preflight) error {
	script, finding := readScript(spec)
	report.add(finding)
	if finding.Grade == Failure {
		return nil
	}
	cast, err := o.cast(ctx, script, sample)
	if err != nil {
		return err
	}
	report.Sizes = sizesOf(cast.sizes)
	report.add(cast.findings(report.Recipients)...)
	heard := o.validate(ctx, spec.ID, cast.ready, options)
	report.Validated, report.Dead = heard.validated(), heard.dead()
	report.add(heard.findings(report.Recipients, options.Limit)...)
	return nil
}

// script is a campaign's message, ready to be filled.
type script struct {
	message  *fcm.Message
	template *profiles.Template
}

// readScript reads the message as CheckMessage does; there is none where the finding is a failure.
func readScript(spec campaign.Spec) (script, Finding) {
	ready, err := content.Compile(spec.Message)
	if err != nil {
		return script{}, unreadable(err)
	}
	f := Finding{Name: "message", Grade: Good, Detail: "reads as FCM's, the same for everybody"}
	if ready.Template.Personal() {
		f.Detail = "reads as FCM's, filled in for each recipient"
	}
	return script{ready.Message, ready.Template}, f
}

func unreadable(err error) Finding {
	return Finding{Name: "message", Grade: Failure, Detail: err.Error(), Advice: "fix the campaign's message: FCM refuses it for everybody"}
}
