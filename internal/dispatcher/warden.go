package dispatcher

import (
	"context"
	"strings"
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

// warden asks FCM from time to time whether it takes the credentials again for which the project was halted.
type warden struct {
	d       *Dispatcher
	message *fcm.Message
}

func newWarden(d *Dispatcher) (*warden, error) {
	message, err := fcm.Parse(notification.Message(probeMessage))
	return &warden{d, message}, err
}

func (w *warden) run(ctx context.Context) {
	if w.d.deps.Halter == nil {
		return
	}
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
	state, err := w.d.deps.Halter.State(ctx)
	if err != nil {
		w.d.quietly.Do(func() { w.d.log.Warn("look at the project's halts", "error", err) })
		return
	}
	for _, halt := range state.Halts {
		if !strings.HasPrefix(halt.Reason, refusedCredentials) {
			continue
		}
		if answer := w.probe(ctx); answer.Class == fcm.Credentials || answer.Class == fcm.NotSent || answer.HTTPStatus == 0 {
			w.d.log.Warn("project is halted: its credentials are still refused", "since", halt.Since, "answer", answer.Detail)
			return
		}
		if _, err := w.d.deps.Halter.ResumeFrom(ctx, halt.Reason); err != nil {
			w.d.log.Warn("resume project: trying again", "error", err)
			return
		}
		w.d.log.Info("project goes on: its credentials are accepted again", "halted", halt.Since)
	}
}

// probe delivers nothing: any answer that is not about the credentials will do.
func (w *warden) probe(ctx context.Context) fcm.Answer {
	return w.d.deps.Sender.Validate(ctx, w.message, fcm.Envelope{Target: notification.Token("probe"), Campaign: "probe", User: "probe"})
}
