package dispatcher

import (
	"bytes"
	"context"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/fcm"
	"fanfare/internal/keys"
	"fanfare/internal/profiles"
	"fanfare/internal/queue"
)

// served is a running campaign as this process sees it: its message compiled once, its queue, its share of the pool.
type activeCampaign struct {
	id       string
	raw      []byte
	edition  string
	message  *fcm.Message
	template *profiles.Template
	queue    *queue.Queue
	paceKey  string // of its cap in Redis
	settings    atomic.Pointer[settings]

	listDeadline atomic.Pointer[time.Time]         // by this process's clock, as of the last claim; nil: none known
	paused       atomic.Pointer[map[string]string] // platforms that are kept back, with the reasons
	hold         atomic.Pointer[breaker.Hold]      // why no one is admitted; nil: recipients are admitted
	outage      outageDetector

	ctx  context.Context // ends when the campaign runs no more, or is to be served anew: what is held goes back
	close context.CancelFunc

	inflight   atomic.Int64 // recipients held, from claim to outcome
	unwritten       atomic.Int64 // outcomes that are not written yet
	unwritable atomic.Bool  // a write of an outcome, or of who goes back, is being repeated
	proven     atomic.Bool  // FCM has accepted its message at least once
	empty      atomic.Bool  // the last claim found nothing
	claiming   atomic.Bool  // a claim is under way; idle and failures are the claim's alone then, else the claimer's
	idleUntil       time.Time    // not looked at before this moment
	failures   int          // claims in a row that gave an error
	lastLogged  string       // the error that was logged last of these
	lastLoggedAt time.Time    // when that was
	lastTurn       uint64       // when it was last granted slots; the claimer's alone
}

// compile makes a campaign ready to be served, until ctx ends.
func compile(ctx context.Context, spec campaign.Spec, q *queue.Queue) (*activeCampaign, error) {
	ready, err := content.Compile(spec.Message)
	if err != nil {
		return nil, err
	}
	s := &activeCampaign{
		id:       spec.ID,
		raw:      spec.Message,
		edition:  spec.Edition,
		message:  ready.Message,
		template: ready.Template,
		queue:    q,
		paceKey:  q.List().Key(keys.SuffixPace),
	}
	s.ctx, s.close = context.WithCancel(ctx)
	s.applySpec(spec)
	return s, nil
}

// complainAgain is how often the same error of a campaign's claims is logged.
const logAgainInterval = time.Minute

// complains reports whether an error of a claim is to be logged, and notes that it was.
func (s *activeCampaign) shouldLog(err error, now time.Time) bool {
	if s.lastLogged == err.Error() && now.Sub(s.lastLoggedAt) < logAgainInterval {
		return false
	}
	s.lastLogged, s.lastLoggedAt = err.Error(), now
	return true
}

// closed tells that what is held of the campaign goes back.
func (s *activeCampaign) isClosed() bool { return s.ctx.Err() != nil }

// same reports that the message is the one that was compiled.
func (s *activeCampaign) hasMessageOf(spec campaign.Spec) bool {
	return s.edition == spec.Edition && bytes.Equal(s.raw, spec.Message)
}

// terms are what an operator may change while a campaign runs; each holds for whoever is judged from then on.
type settings struct {
	weight, priority int
	rate             float64   // pushes a second over all replicas; 0: no cap
	deadline         time.Time // the spec's own; zero: none
	overdue          bool      // the deadline of the list had passed at the last look
	onAmbiguous      campaign.OnAmbiguous
}

// agree takes on the spec's terms.
func (s *activeCampaign) applySpec(spec campaign.Spec) {
	s.settings.Store(&settings{
		weight: spec.Weight, priority: spec.Priority, rate: spec.Rate, deadline: spec.Deadline, overdue: spec.Overdue, onAmbiguous: spec.OnAmbiguous,
	})
}

// keepBack notes the platforms whose recipients wait, with the reasons.
func (s *activeCampaign) setPausedPlatforms(platforms map[string]string) {
	if old := s.paused.Load(); old == nil || !maps.Equal(*old, platforms) {
		s.paused.Store(&platforms)
	}
}

// keptBack tells whether a platform's recipients wait.
func (s *activeCampaign) isPlatformPaused(platform string) bool {
	paused := s.paused.Load()
	if paused == nil || platform == "" {
		return false
	}
	_, ok := (*paused)[platform]
	return ok
}

// noteListDeadline keeps when the list expires, by this process's clock; zero: it does not.
func (s *activeCampaign) noteListDeadline(at time.Time) {
	if old := s.listDeadline.Load(); old == nil || !old.Equal(at) {
		s.listDeadline.Store(&at)
	}
}

// overdue reports whether a known deadline of the campaign has passed: who is left is only written down as expired.
func (s *activeCampaign) isOverdue(now time.Time) bool {
	terms := s.settings.Load()
	if terms.overdue {
		return true
	}
	deadline := terms.deadline
	if list := s.listDeadline.Load(); list != nil {
		deadline = campaign.Earliest(deadline, *list)
	}
	return !deadline.IsZero() && !now.Before(deadline)
}

// cappedAhead is for how long a campaign with a cap holds recipients ahead: longer than a push takes, and short enough not to
// keep slots from the others.
const cappedHoldTime = 2 * time.Second

// most is how many slots the campaign has a use for; 0: any number.
func (t *settings) maxSlots() int {
	if t.rate == 0 {
		return 0
	}
	return max(2, int(math.Ceil(t.rate*cappedHoldTime.Seconds())))
}

// roster is the set of campaigns that are served now.
type roster struct {
	mu      sync.RWMutex
	byID    map[string]*activeCampaign
	changed chan struct{} // signals the claimer
	dropped chan struct{} // signals the acker
}

func newRoster() *roster {
	return &roster{byID: make(map[string]*activeCampaign), changed: make(chan struct{}, 1), dropped: make(chan struct{}, 1)}
}

func (r *roster) get(id string) *activeCampaign {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byID[id]
}

func (r *roster) all() []*activeCampaign {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]*activeCampaign, 0, len(r.byID))
	for _, s := range r.byID {
		list = append(list, s)
	}
	return list
}

// put begins to serve a campaign; an earlier edition of it is closed, so that what it holds goes back and is served anew.
func (r *roster) put(s *activeCampaign) {
	r.mu.Lock()
	if old := r.byID[s.id]; old != nil {
		old.close()
	}
	r.byID[s.id] = s
	r.mu.Unlock()
	signal(r.dropped)
	r.wake()
}

// wake has the claimer look at the campaigns anew.
func (r *roster) wake() { signal(r.changed) }

// signal wakes the goroutine that listens, unless a signal waits for it already.
func signal(listener chan<- struct{}) {
	select {
	case listener <- struct{}{}:
	default:
	}
}

// drop closes a campaign and serves it no more.
func (r *roster) drop(s *activeCampaign) {
	s.close()
	signal(r.dropped)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[s.id] == s {
		delete(r.byID, s.id)
	}
}
