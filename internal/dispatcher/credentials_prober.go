package dispatcher

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
)

// Halter stops a whole project, in all replicas, and lets it go on.
type Halter interface {
	Halt(ctx context.Context, reason string) error
	// ResumeFrom takes one reason back; others may stand.
	ResumeFrom(ctx context.Context, reason string) (free bool, err error)
	State(ctx context.Context) (pacing.State, error)
}

// probeMessage is what a probe asks FCM to validate. No one has the token that it is addressed to.
const probeMessage = `{"data":{"probe":"credentials"}}`

// warden asks FCM from time to time to validate a message, while something waits for FCM to answer: a project that was halted
// for its credentials or its endpoint, a campaign on hold, or what this process alone was refused for.
type credentialsProber struct {
	d       *Dispatcher
	message *fcm.Message
	refused atomic.Bool  // the credentials: this process claims nothing until its own probe is accepted
	lastAnswerAt  atomic.Int64 // ns since 1970 at which FCM last answered this process

	haltSeenAt atomic.Int64 // ns since 1970 at which the project was last seen halted, or its gate closed

	mu     sync.Mutex
	outages map[string]bool // campaigns whose pushes got no answers here: nothing is claimed of them until a probe is answered
}

func newCredentialsProber(d *Dispatcher) (*credentialsProber, error) {
	message, err := fcm.Parse(notification.Message(probeMessage))
	return &credentialsProber{d: d, message: message, outages: make(map[string]bool)}, err
}

func (w *credentialsProber) run(ctx context.Context) {
	tick := time.NewTicker(w.d.opts.Retry.Outage)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.tick(ctx)
		}
	}
}

// look is one tick: it probes if something waits for it, and ends what the answer allows to end.
func (w *credentialsProber) tick(ctx context.Context) {
	halts, onHold := w.selfEndingHalts(ctx), w.campaignsOnHold()
	if len(halts) == 0 && len(onHold) == 0 && !w.refused.Load() && !w.hasOutage() {
		return
	}
	answer := w.probe(ctx)
	if !answer.IsDecisive() {
		w.d.log.Warn("probe was not answered by FCM; what waits for it waits on", "class", answer.Class, "answer", answer.Detail)
		return
	}
	w.noteAnswer(w.d.now())
	w.clearOutages()
	for _, camp := range onHold {
		w.endHold(ctx, camp)
	}
	trusted := answer.Class != fcm.Credentials && answer.Class != fcm.Quota // a quota is checked before the credentials
	if trusted {
		w.refused.Store(false)
	} else {
		w.d.log.Warn("nothing is sent: the credentials are not known to be accepted again", "answer", answer.Detail)
	}
	for _, halt := range halts {
		if trusted || strings.HasPrefix(halt.Reason, pacing.WrongEndpoint) {
			w.endHalt(ctx, halt)
		}
	}
}

func (w *credentialsProber) endHalt(ctx context.Context, halt pacing.Halt) {
	if _, err := w.d.deps.Halter.ResumeFrom(ctx, halt.Reason); err != nil {
		w.d.log.Warn("resume project: trying again", "error", err)
		return
	}
	w.d.log.Info("project goes on: a probe was answered", "halted", halt.Since, "reason", halt.Reason)
}

// release ends the hold of a campaign.
func (w *credentialsProber) endHold(ctx context.Context, camp *activeCampaign) {
	released, err := w.d.deps.Breakers.Release(ctx, camp.queue.List())
	if err != nil {
		w.d.log.Warn("release campaign: trying again", "campaign", camp.id, "error", err)
		return
	}
	if released {
		w.d.log.Info("campaign goes on with a canary: a probe was answered", "campaign", camp.id)
		w.d.roster.wake()
	}
}

// halts are those that end by themselves.
func (w *credentialsProber) selfEndingHalts(ctx context.Context) []pacing.Halt {
	if w.d.deps.Halter == nil {
		return nil
	}
	state, err := w.d.deps.Halter.State(ctx)
	if err != nil {
		w.d.quietly.Do(func() { w.d.log.Warn("look at the project's halts", "error", err) })
		return nil
	}
	if len(state.Halts) > 0 || state.Gate.Closed(state.Now) {
		w.haltSeenAt.Store(w.d.now().UnixNano())
	}
	return slices.DeleteFunc(state.Halts, func(h pacing.Halt) bool { return !h.EndsByItself() })
}

// onHold are the campaigns that wait for a probe to be answered.
func (w *credentialsProber) campaignsOnHold() (waiting []*activeCampaign) {
	for _, camp := range w.d.roster.all() {
		if camp.hold.Load() != nil {
			waiting = append(waiting, camp)
		}
	}
	return waiting
}

// silence notes that a campaign's pushes got no answers here. It reports whether that is new.
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

// forgetSilence lets this process claim again of the campaigns whose pushes got no answers.
func (w *credentialsProber) clearOutages() {
	w.mu.Lock()
	ids := slices.Collect(maps.Keys(w.outages))
	clear(w.outages)
	w.mu.Unlock()
	for _, id := range ids {
		if camp := w.d.roster.get(id); camp != nil {
			camp.outage.reset()
		}
	}
}

// isSilenced reports whether this process sends nothing of a campaign until its own probe is
// answered. Others may fare better.
func (w *credentialsProber) hasOutageOf(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outages[id]
}

// heard notes that FCM has answered this process.
func (w *credentialsProber) noteAnswer(now time.Time) { w.lastAnswerAt.Store(now.UnixNano()) }

// heardWithin is how long before a push FCM must have answered somebody, for the push to count as an attempt although it got no
// answer itself.
const answerWindow = 10 * time.Second

// heardAround reports whether FCM answered this process around the time of a push, or later.
func (w *credentialsProber) answeredAround(sent time.Time) bool {
	return w.lastAnswerAt.Load() >= sent.Add(-answerWindow).UnixNano()
}

// clockFrom is from when the time counts that a recipient is tried for: its first claim, or later when its campaign or its
// project went on after a stop.
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
	return w.d.deps.Sender.Validate(ctx, w.message, fcm.Envelope{Target: notification.ParseToken("probe"), Campaign: "probe", User: "probe"})
}
