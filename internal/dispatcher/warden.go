package dispatcher

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

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

// refusedCredentials begins the reason of each halt that ends by itself.
const refusedCredentials = "credentials refused: "

// probeMessage is what a probe asks FCM to validate. Nobody has the token that it is addressed to.
const probeMessage = `{"data":{"probe":"credentials"}}`

// warden asks FCM from time to time whether it takes the credentials again for which the project was halted, or that this
// process alone was refused for.
type warden struct {
	d       *Dispatcher
	message *fcm.Message
	refused atomic.Bool // this process claims nothing until its own probe is accepted: others may have better credentials
}

func newWarden(d *Dispatcher) (*warden, error) {
	message, err := fcm.Parse(notification.Message(probeMessage))
	return &warden{d: d, message: message}, err
}

func (w *warden) run(ctx context.Context) {
	tick := time.NewTicker(w.d.opts.Retry.Outage)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

// look is one tick.
func (w *warden) look(ctx context.Context) {
	halts := w.halts(ctx)
	if len(halts) == 0 && !w.refused.Load() || !w.accepted(ctx) {
		return
	}
	w.refused.Store(false)
	for _, halt := range halts {
		if _, err := w.d.deps.Halter.ResumeFrom(ctx, halt.Reason); err != nil {
			w.d.log.Warn("resume project: trying again", "error", err)
			return
		}
		w.d.log.Info("project goes on: its credentials are accepted again", "halted", halt.Since)
	}
}

// halts are those that end by themselves.
func (w *warden) halts(ctx context.Context) []pacing.Halt {
	if w.d.deps.Halter == nil {
		return nil
	}
	state, err := w.d.deps.Halter.State(ctx)
	if err != nil {
		w.d.quietly.Do(func() { w.d.log.Warn("look at the project's halts", "error", err) })
		return nil
	}
	return slices.DeleteFunc(state.Halts, func(h pacing.Halt) bool { return !strings.HasPrefix(h.Reason, refusedCredentials) })
}

// accepted has FCM judge a message. What FCM did not look at, because it was busy say, tells nothing of the credentials.
func (w *warden) accepted(ctx context.Context) bool {
	switch answer := w.probe(ctx); answer.Class {
	case fcm.Credentials, fcm.NotSent, fcm.Ambiguous, fcm.Unavailable, fcm.Quota:
		w.d.log.Warn("nothing is sent: the credentials are not known to be accepted again", "answer", answer.Detail)
		return false
	default:
		return true
	}
}

// probe delivers nothing: any answer that is not about the credentials will do.
func (w *warden) probe(ctx context.Context) fcm.Answer {
	return w.d.deps.Sender.Validate(ctx, w.message, fcm.Envelope{Target: notification.Token("probe"), Campaign: "probe", User: "probe"})
}
