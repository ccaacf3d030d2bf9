package fcmsim

import (
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// Options of a Simulator. The zero value is a simulator that accepts every project without a bearer.
type Options struct {
	// Project is the only Firebase project that may be sent to; others get 403. Empty accepts any.
	Project string
	// RequireAuth demands a bearer that this simulator's OAuth endpoint has issued.
	RequireAuth bool
	// TokenLifetime of access tokens, as told by expires_in. Default one hour, at least one second.
	TokenLifetime time.Duration
	// Rules to start with.
	Rules Rules
	// Timeline that begins when the simulator is made; the zero value is none.
	Timeline Timeline
	// Speed compresses the minutes and hours of Quota and DeviceLimits: at 10, a minute's quota is there anew every six
	// seconds. Everything else, Retry-After and timelines included, is in real time. Default 1.
	Speed float64
	// Seed of all chance: the same seed gives the same message the same fate, whatever else is under way.
	Seed uint64
	// Ledger mode. Default LedgerHashes.
	Ledger LedgerMode
	// Logger hears of what goes wrong in serving. Default none.
	Logger *slog.Logger
}

// The upper bounds of what options and rules may ask for.
const (
	maxSpeed    = 1000 // a minute of 60 ms
	maxCount    = 1_000_000_000
	maxLifetime = 720 * time.Hour
	maxLatency  = 24 * time.Hour
)

func (o *Options) complete() error {
	if o.TokenLifetime == 0 {
		o.TokenLifetime = time.Hour
	}
	if o.TokenLifetime < time.Second || o.TokenLifetime > maxLifetime {
		return fmt.Errorf("token lifetime %s is not between 1s and %s", o.TokenLifetime, maxLifetime)
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if !(o.Speed > 0 && o.Speed <= maxSpeed) {
		return fmt.Errorf("speed %g is not above 0 and up to %d", o.Speed, maxSpeed)
	}
	if o.Ledger == "" {
		o.Ledger = LedgerHashes
	}
	if o.Ledger != LedgerHashes && o.Ledger != LedgerMessages {
		return fmt.Errorf("ledger %q: want %q or %q", o.Ledger, LedgerHashes, LedgerMessages)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.Rules.check(); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if len(o.Timeline.Steps) > 0 {
		return o.Timeline.check()
	}
	return nil
}

// Simulator answers like FCM. It is safe for concurrent use.
type Simulator struct {
	options  Options
	active   atomic.Pointer[ruleset]
	ledger   *ledger
	counters counters
	projects projects
	devices  devices
	minute   time.Duration // by the simulator's speed
	issuer   *issuer
}

// New makes a simulator; an error names the option that is wrong.
func New(o Options) (*Simulator, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	now := time.Now()
	s := &Simulator{options: o, ledger: newLedger(o.Ledger), issuer: newIssuer()}
	s.minute = time.Duration(float64(time.Minute) / o.Speed)
	s.devices.minute, s.devices.hour = s.minute, 60*s.minute
	s.active.Store(newRuleset(o.Rules, now))
	if len(o.Timeline.Steps) > 0 {
		return s, s.PlayTimeline(o.Timeline)
	}
	return s, nil
}

// Rules in force.
func (s *Simulator) Rules() Rules { return s.rulesetAt(time.Now()).rules.clone() }

// SetRules replaces all rules at once, and ends a timeline. Requests under way keep the fate they were given, and what
// was spent of a quota stays spent.
func (s *Simulator) SetRules(r Rules) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	s.active.Store(newRuleset(r, time.Now()))
	return nil
}

// Counts so far.
func (s *Simulator) Counts() Counts { return s.counters.snapshot() }

// Ledger yields an entry for each target and message, in no order.
func (s *Simulator) Ledger() iter.Seq[Entry] { return s.ledger.all() }

// EntriesOf a token, Firebase Installation ID, topic or condition.
func (s *Simulator) EntriesOf(target string) []Entry { return s.ledger.entriesOf(target) }

// ClearLedger forgets all entries and counts and the trace, and with them how often each message was tried.
func (s *Simulator) ClearLedger() {
	s.ledger.clear()
	s.counters.reset()
	for _, known := range s.projects.all() {
		known.arrivals.reset()
	}
}

// Handler serves POST /v1/projects/{project}/messages:send and POST /token over net/http. What ends a connection, or a
// stream in ways that net/http cannot, needs a Server of this package; elsewhere it ends the request only.
func (s *Simulator) Handler() http.Handler { return frontend{s} }
