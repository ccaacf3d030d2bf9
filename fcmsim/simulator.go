package fcmsim

import (
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Options configure a Simulator. The zero value accepts every project and needs no access token.
type Options struct {
	// Project is the only Firebase project that accepts messages; others get 403. Empty accepts
	// any.
	Project string
	// RequireAuth refuses requests without an access token from this simulator's OAuth endpoint.
	RequireAuth bool
	// TokenLifetime is the lifetime of access tokens, from 1 s to 720 h; 0 is one hour. The token
	// endpoint reports it as expires_in.
	TokenLifetime time.Duration
	// Rules are in force at the start. Invalid rules make New fail.
	Rules Rules
	// Timeline starts when New returns. The zero value is no timeline.
	Timeline Timeline
	// Speed shortens the minutes and hours of Quota and DeviceLimits. At 10, a quota is refilled
	// every six seconds. Retry-After, latencies and timelines stay in real time. Above 0 and up to
	// 1000; 0 is 1.
	Speed float64
	// Seed of all random draws. With the same seed, the same attempt at the same message has the
	// same outcome in every run, in any order of requests.
	Seed uint64
	// Ledger is what the ledger keeps of a message. Empty is LedgerHashes.
	Ledger LedgerMode
	// Logger receives faults of serving, such as failed TLS handshakes, at debug level. Nil
	// discards them.
	Logger *slog.Logger
}

// Upper bounds of what options and rules may ask for.
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

// Simulator answers requests as FCM does. It is safe for concurrent use.
type Simulator struct {
	options  Options
	active   atomic.Pointer[ruleset]
	ledger   *ledger
	counters counters
	projects projects
	devices  devices
	replaced installations // whose tokens are dead
	minute   time.Duration // shortened by Options.Speed
	issuer   *issuer
}

// New makes a simulator that does not listen yet. An error names the option or rule that is
// invalid.
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

// Rules returns a copy of the rules in force, which a timeline may have set.
func (s *Simulator) Rules() Rules { return s.rulesetAt(time.Now()).rules.clone() }

// SetRules replaces all rules at once and ends a timeline. Requests that were already decided keep
// their outcome, and quota that was used stays used. Invalid rules return an error and change
// nothing.
func (s *Simulator) SetRules(r Rules) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	s.active.Store(newRuleset(r, time.Now()))
	return nil
}

// Counts returns what the simulator has received since New or ClearLedger.
func (s *Simulator) Counts() Counts { return s.counters.snapshot() }

// Ledger yields one entry for each pair of target and message, in no order.
func (s *Simulator) Ledger() iter.Seq[Entry] { return s.ledger.all() }

// EntriesOf returns the entries of a token, Firebase Installation ID, topic or condition, in no
// order. It returns none for a target that was never seen.
func (s *Simulator) EntriesOf(target string) []Entry {
	hash := fmt.Sprintf("%016x", fingerprint(0, target))
	return slices.DeleteFunc(s.EntriesOfDevice(target), func(e Entry) bool { return e.TargetHash != hash })
}

// EntriesOfDevice returns the entries of all addresses of a device, given by one of them. A
// registration token <FID>:… and the Firebase Installation ID are addresses of one device.
func (s *Simulator) EntriesOfDevice(address string) []Entry {
	return s.ledger.entriesOfDevice(fingerprint(0, installationOf(address)))
}

// ClearLedger deletes all entries, counts and the trace. Prefixes with a number and Outcome.Times
// then count attempts from one again.
func (s *Simulator) ClearLedger() {
	s.ledger.clear()
	s.counters.reset()
	for _, known := range s.projects.all() {
		known.arrivals.reset()
	}
}

// Handler serves POST /v1/projects/{project}/messages:send and POST /token over net/http, without a
// listener of this package. Faults that net/http cannot produce end the request there; only a
// Server can end a connection.
func (s *Simulator) Handler() http.Handler { return frontend{s} }
