package dispatcher

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/periodic"
)

// Halter stops a project in all replicas, and resumes it.
type Halter interface {
	Halt(ctx context.Context, reason string) error
	// ResumeFrom removes one reason; others may remain.
	ResumeFrom(ctx context.Context, reason string) (free bool, err error)
	State(ctx context.Context) (pacing.State, error)
}

// probeTarget is a token that no one has, and probeBody is what a probe asks FCM to validate.
var (
	probeTarget = notification.ParseToken("probe")
	probeBody   = []byte(`{"message":{"token":"probe","data":{"probe":"credentials"}}}`)
)

// credentialsProber asks FCM to validate a message while something waits for an answer: a project
// halted for its credentials or endpoint, a campaign on hold, or this process after a refusal.
type credentialsProber struct {
	sender   Sender
	halter   Halter            // nil: there are no halts
	breakers *breaker.Breakers // nil: there are no holds
	roster   *roster
	pauser   *pauser
	interval time.Duration
	now      func() time.Time
	log      *slog.Logger

	refused      atomic.Bool  // credentials refused: no claims until a probe of this process is accepted
	lastAnswerAt atomic.Int64 // when FCM last answered this process, in Unix nanoseconds

	haltSeenAt atomic.Int64 // when the project was last seen halted or gated, in Unix nanoseconds

	mu      sync.Mutex
	outages map[string]bool // campaigns with an outage in this process: no claims until a probe is answered
}

func (p *credentialsProber) run(ctx context.Context) {
	periodic.Run(ctx, p.interval, p.tick)
}

// tick probes if something waits for it, and ends what the answer allows to end.
func (p *credentialsProber) tick(ctx context.Context) {
	halts, onHold := p.selfEndingHalts(ctx), p.roster.onHold()
	if len(halts) == 0 && len(onHold) == 0 && !p.refused.Load() && !p.hasOutage() {
		return
	}
	answer := p.probe(ctx)
	if !answer.IsDecisive() {
		p.log.Warn("probe not answered by FCM; halts and holds remain", "class", answer.Class.String(), "answer", answer.Detail)
		return
	}
	p.noteAnswer(p.now())
	p.clearOutages()
	for _, camp := range onHold {
		p.endHold(ctx, camp)
	}
	trusted := answer.Class != fcm.Credentials && answer.Class != fcm.Quota // FCM checks the quota before the credentials
	if trusted {
		p.refused.Store(false)
	} else {
		p.log.Warn("credentials still refused; nothing is sent", "answer", answer.Detail)
	}
	for _, halt := range halts {
		if trusted || strings.HasPrefix(halt.Reason, pacing.WrongEndpoint) {
			p.endHalt(ctx, halt)
		}
	}
}

func (p *credentialsProber) endHalt(ctx context.Context, halt pacing.Halt) {
	if _, err := p.halter.ResumeFrom(ctx, halt.Reason); err != nil {
		p.log.Warn("project not resumed; retrying", "error", err)
		return
	}
	p.log.Info("project resumed: FCM answered a probe", "halted", halt.Since, "reason", halt.Reason)
}

// endHold ends the hold of a campaign.
func (p *credentialsProber) endHold(ctx context.Context, camp *activeCampaign) {
	released, err := p.breakers.Release(ctx, camp.queue.List())
	if err != nil {
		p.log.Warn("hold not ended; retrying", "campaign", camp.id, "error", err)
		return
	}
	if released {
		p.log.Info("campaign resumed with a canary: FCM answered a probe", "campaign", camp.id)
		p.pauser.noteRelease(ctx, camp)
		p.roster.wake()
	}
}

// selfEndingHalts are the project's halts that a probe can end.
func (p *credentialsProber) selfEndingHalts(ctx context.Context) []pacing.Halt {
	if p.halter == nil {
		return nil
	}
	state, err := p.halter.State(ctx)
	if err != nil {
		p.log.Warn("project's halts unknown; retrying", "error", err)
		return nil
	}
	if len(state.Halts) > 0 || state.Gate.IsClosed(state.Now) {
		p.haltSeenAt.Store(p.now().UnixNano())
	}
	return slices.DeleteFunc(state.Halts, func(h pacing.Halt) bool { return !h.EndsByItself() })
}

// noteOutage remembers an outage of a campaign. It reports whether that is new.
func (p *credentialsProber) noteOutage(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.outages[id]
	p.outages[id] = true
	return !known
}

func (p *credentialsProber) hasOutage() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.outages) > 0
}

// clearOutages lets this process claim again from campaigns that had an outage.
func (p *credentialsProber) clearOutages() {
	p.mu.Lock()
	ids := slices.Collect(maps.Keys(p.outages))
	clear(p.outages)
	p.mu.Unlock()
	for _, id := range ids {
		if camp := p.roster.get(id); camp != nil {
			camp.outage.reset()
		}
	}
}

// hasOutageOf reports whether this process sends nothing of a campaign until its own probe is
// answered. Other processes may get answers.
func (p *credentialsProber) hasOutageOf(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outages[id]
}

// noteRefusal remembers that FCM has refused the credentials. Then nothing is claimed until a probe
// of this process is accepted.
func (p *credentialsProber) noteRefusal() { p.refused.Store(true) }

// isRefused reports whether FCM refuses the credentials.
func (p *credentialsProber) isRefused() bool { return p.refused.Load() }

// noteAnswer remembers that FCM has answered this process.
func (p *credentialsProber) noteAnswer(now time.Time) { p.lastAnswerAt.Store(now.UnixNano()) }

// answerWindow is how long before a push FCM must have answered this process, for a push without an
// answer to count as an attempt.
const answerWindow = 10 * time.Second

// answeredAround reports whether FCM answered this process around the time of a push, or later.
func (p *credentialsProber) answeredAround(sent time.Time) bool {
	return p.lastAnswerAt.Load() >= sent.Add(-answerWindow).UnixNano()
}

// retryStart is when a recipient's retry time starts: at its first claim, or later if its campaign
// or project was resumed since.
func (p *credentialsProber) retryStart(dl *delivery) time.Time {
	from := dl.firstClaimedAt
	if round := dl.lease.round; round > 0 {
		from = latest(from, dl.lease.localTime(bounds.Milli(round)))
	}
	return latest(from, time.Unix(0, p.haltSeenAt.Load()))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// probe delivers nothing.
func (p *credentialsProber) probe(ctx context.Context) fcm.Answer {
	return p.sender.Validate(ctx, probeBody, probeTarget)
}
