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

func (w *credentialsProber) run(ctx context.Context) {
	periodic.Run(ctx, w.interval, w.tick)
}

// tick probes if something waits for it, and ends what the answer allows to end.
func (w *credentialsProber) tick(ctx context.Context) {
	halts, onHold := w.selfEndingHalts(ctx), w.roster.onHold()
	if len(halts) == 0 && len(onHold) == 0 && !w.refused.Load() && !w.hasOutage() {
		return
	}
	answer := w.probe(ctx)
	if !answer.IsDecisive() {
		w.log.Warn("probe not answered by FCM; halts and holds remain", "class", answer.Class.String(), "answer", answer.Detail)
		return
	}
	w.noteAnswer(w.now())
	w.clearOutages()
	for _, camp := range onHold {
		w.endHold(ctx, camp)
	}
	trusted := answer.Class != fcm.Credentials && answer.Class != fcm.Quota // FCM checks the quota before the credentials
	if trusted {
		w.refused.Store(false)
	} else {
		w.log.Warn("credentials still refused; nothing is sent", "answer", answer.Detail)
	}
	for _, halt := range halts {
		if trusted || strings.HasPrefix(halt.Reason, pacing.WrongEndpoint) {
			w.endHalt(ctx, halt)
		}
	}
}

func (w *credentialsProber) endHalt(ctx context.Context, halt pacing.Halt) {
	if _, err := w.halter.ResumeFrom(ctx, halt.Reason); err != nil {
		w.log.Warn("project not resumed; retrying", "error", err)
		return
	}
	w.log.Info("project resumed: FCM answered a probe", "halted", halt.Since, "reason", halt.Reason)
}

// endHold ends the hold of a campaign.
func (w *credentialsProber) endHold(ctx context.Context, camp *activeCampaign) {
	released, err := w.breakers.Release(ctx, camp.queue.List())
	if err != nil {
		w.log.Warn("hold not ended; retrying", "campaign", camp.id, "error", err)
		return
	}
	if released {
		w.log.Info("campaign resumed with a canary: FCM answered a probe", "campaign", camp.id)
		w.pauser.noteRelease(ctx, camp)
		w.roster.wake()
	}
}

// selfEndingHalts are the project's halts that a probe can end.
func (w *credentialsProber) selfEndingHalts(ctx context.Context) []pacing.Halt {
	if w.halter == nil {
		return nil
	}
	state, err := w.halter.State(ctx)
	if err != nil {
		w.log.Warn("project's halts unknown; retrying", "error", err)
		return nil
	}
	if len(state.Halts) > 0 || state.Gate.IsClosed(state.Now) {
		w.haltSeenAt.Store(w.now().UnixNano())
	}
	return slices.DeleteFunc(state.Halts, func(h pacing.Halt) bool { return !h.EndsByItself() })
}

// noteOutage remembers an outage of a campaign. It reports whether that is new.
func (w *credentialsProber) noteOutage(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.outages[id]
	w.outages[id] = true
	return !known
}

func (w *credentialsProber) hasOutage() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.outages) > 0
}

// clearOutages lets this process claim again from campaigns that had an outage.
func (w *credentialsProber) clearOutages() {
	w.mu.Lock()
	ids := slices.Collect(maps.Keys(w.outages))
	clear(w.outages)
	w.mu.Unlock()
	for _, id := range ids {
		if camp := w.roster.get(id); camp != nil {
			camp.outage.reset()
		}
	}
}

// hasOutageOf reports whether this process sends nothing of a campaign until its own probe is
// answered. Other processes may get answers.
func (w *credentialsProber) hasOutageOf(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outages[id]
}

// noteRefusal remembers that FCM has refused the credentials. Then nothing is claimed until a probe
// of this process is accepted.
func (w *credentialsProber) noteRefusal() { w.refused.Store(true) }

// isRefused reports whether FCM refuses the credentials.
func (w *credentialsProber) isRefused() bool { return w.refused.Load() }

// noteAnswer remembers that FCM has answered this process.
func (w *credentialsProber) noteAnswer(now time.Time) { w.lastAnswerAt.Store(now.UnixNano()) }

// answerWindow is how long before a push FCM must have answered this process, for a push without an
// answer to count as an attempt.
const answerWindow = 10 * time.Second

// answeredAround reports whether FCM answered this process around the time of a push, or later.
func (w *credentialsProber) answeredAround(sent time.Time) bool {
	return w.lastAnswerAt.Load() >= sent.Add(-answerWindow).UnixNano()
}

// retryStart is when a recipient's retry time starts: at its first claim, or later if its campaign
// or project was resumed since.
func (w *credentialsProber) retryStart(dl *delivery) time.Time {
	from := dl.firstClaimedAt
	if round := dl.lease.round; round > 0 {
		from = latest(from, dl.lease.localTime(bounds.Milli(round)))
	}
	return latest(from, time.Unix(0, w.haltSeenAt.Load()))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// probe delivers nothing.
func (w *credentialsProber) probe(ctx context.Context) fcm.Answer {
	return w.sender.Validate(ctx, probeBody, probeTarget)
}
