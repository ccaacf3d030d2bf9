// Package webhooks tells other systems when a campaign ends, is paused or is held. Each event goes
// to a stream in Redis, and, if an address is configured, to that address by HTTP with a signature.
// Events come from the histories of campaigns, so none is lost while nothing delivers.
package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/periodic"
	"fanfare/internal/redact"
)

// Histories are the histories of all campaigns; *campaign.Campaigns implements it.
type Histories interface {
	VisitNewHistory(ctx context.Context, after map[string]string, visit func(id string, entries []notification.HistoryEntry) error) error
	Books(ctx context.Context, id string) (campaign.Books, error)
}

// Deps are what webhooks work with.
type Deps struct {
	Redis     redis.UniversalClient
	Names     keys.Names
	Histories Histories
	// Explain says why a campaign waits, the most important reason first. It returns nothing for
	// one that does not.
	Explain func(ctx context.Context, id string) ([]Reason, error)
	Logger  *slog.Logger
}

// Options are the settings of webhooks.
type Options struct {
	// URL gets each event. "" sends none; the stream has them anyway.
	URL string
	// Secret signs the events.
	Secret redact.Secret
	// AllowInternal allows http, and addresses that are not public. Without it, a name that
	// resolves to such an address is refused when it is dialed.
	AllowInternal bool
	// Interval is how often histories are read.
	Interval time.Duration
}

// DefaultInterval is how often histories are read.
const DefaultInterval = time.Second

// minSecret is the least length of a secret in bytes.
const minSecret = 16

func (o Options) validate() error {
	if o.Interval <= 0 {
		return fmt.Errorf("interval is %s, want more than 0", o.Interval)
	}
	if o.URL == "" {
		return nil
	}
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("webhooks.url is no address, want one such as https://example.com/hooks")
	case u.Scheme == "http" && !o.AllowInternal:
		return errors.New("webhooks.url is http: use https, or set webhooks.allow_internal for a receiver in your own network")
	case len(o.Secret.Reveal()) < minSecret:
		return fmt.Errorf("webhooks.secret has fewer than %d bytes; make one with: openssl rand -base64 24", minSecret)
	}
	return nil
}

// Deliverer delivers events. Several may run: one at a time delivers.
type Deliverer struct {
	deps    Deps
	opts    Options
	now     func() time.Time
	client  *http.Client
	cursors *cursors
	retries map[string]retry // by campaign
}

// retry is an event that could not be delivered yet.
type retry struct {
	attempts int
	next     time.Time
}

// New returns a deliverer. It makes no call.
func New(deps Deps, opts Options) (*Deliverer, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	return &Deliverer{
		deps: deps, opts: opts, now: time.Now, client: newClient(opts.AllowInternal),
		cursors: newCursors(deps.Redis, deps.Names), retries: make(map[string]retry),
	}, nil
}

// Run delivers events until ctx ends.
func (d *Deliverer) Run(ctx context.Context) {
	defer d.client.CloseIdleConnections()
	failing := false
	periodic.Run(ctx, d.opts.Interval, func(ctx context.Context) {
		err := d.deliver(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			d.deps.Logger.Warn("campaign events not read; retrying", "error", err)
		}
		failing = err != nil
	})
	d.cursors.release(context.WithoutCancel(ctx))
}

// roundTimeout bounds one round. It is shorter than the lease.
const roundTimeout = leaseTTL / 2

// deliver is one round. It does nothing while another process delivers.
func (d *Deliverer) deliver(ctx context.Context) error {
	ours, err := d.cursors.acquire(ctx)
	if err != nil || !ours {
		return err
	}
	after, err := d.cursors.read(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	return d.deps.Histories.VisitNewHistory(ctx, after, func(id string, entries []notification.HistoryEntry) error {
		return d.deliverCampaign(ctx, id, d.cursors.skip(id, entries))
	})
}

// deliverCampaign delivers the events of one campaign in their order, and stops at the first one
// that has to be repeated.
func (d *Deliverer) deliverCampaign(ctx context.Context, id string, entries []notification.HistoryEntry) error {
	for _, entry := range entries {
		if e, ok := newEvent(id, entry); ok && !d.deliverEvent(ctx, e) {
			return nil
		}
		delete(d.retries, id)
		if err := d.cursors.advance(ctx, id, entry.ID); err != nil {
			return err
		}
	}
	return nil
}

const (
	// giveUpAfter is how old an event is when it is no longer repeated.
	giveUpAfter = 24 * time.Hour
	// maxDelay is the longest time between two attempts.
	maxDelay = 5 * time.Minute
)

// deliverEvent reports whether an event is done with: delivered, or given up.
func (d *Deliverer) deliverEvent(ctx context.Context, e Event) bool {
	pending := d.retries[e.Campaign]
	if d.now().Before(pending.next) {
		return false
	}
	d.addPresent(ctx, &e)
	err := d.attempt(ctx, e, pending.attempts == 0)
	if err == nil {
		return true
	}
	if ctx.Err() != nil {
		return false
	}
	pending.attempts++
	pending.next = d.now().Add(min(maxDelay, time.Second<<min(pending.attempts, 16)))
	d.retries[e.Campaign] = pending
	if d.now().Sub(e.At) > giveUpAfter {
		d.deps.Logger.Error("webhook given up; the event is in the history of the campaign", "event", e.ID, "type", e.Type, "attempts", pending.attempts, "error", redact.Text(err.Error()))
		return true
	}
	if pending.attempts == 1 {
		d.deps.Logger.Warn("webhook not delivered; retrying for a day", "event", e.ID, "type", e.Type, "error", redact.Text(err.Error()))
	}
	return false
}

// addPresent adds how the campaign is now. What cannot be read is left out, because the event
// itself is what matters.
func (d *Deliverer) addPresent(ctx context.Context, e *Event) {
	switch {
	case e.hasEnded():
		if books, err := d.deps.Histories.Books(ctx, e.Campaign); err == nil {
			e.Books = &books
		}
	case e.isWaiting():
		if why, err := d.deps.Explain(ctx, e.Campaign); err == nil {
			e.Why = why
		}
	}
}

// attempt puts an event into the stream the first time, and sends it.
func (d *Deliverer) attempt(ctx context.Context, e Event, first bool) error {
	body, err := e.encode()
	if err != nil {
		return err
	}
	if first {
		if err := d.cursors.publish(ctx, e, body); err != nil {
			return err
		}
	}
	if d.opts.URL == "" {
		return nil
	}
	return d.post(ctx, body)
}
