package dispatcher

import (
	"bytes"
	"context"
	"maps"
	"math"
	"sync/atomic"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/dedupe"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/schedule"
)

// activeCampaign is a running campaign in this process: its compiled message, its queue, and its
// share of the pool.
type activeCampaign struct {
	id       string
	raw      []byte
	edition  string
	content  *content.Content
	queue    *queue.Queue
	paceKey  string // key of its rate limit in Redis
	settings atomic.Pointer[settings]

	addresses *dedupe.Record // who is sent to

	listDeadline atomic.Pointer[time.Time]         // this process's clock, as of the last claim; nil: unknown
	paused       atomic.Pointer[map[string]string] // paused platforms and the reasons
	hold         atomic.Pointer[breaker.Hold]      // why no recipient is admitted; nil: they are admitted
	outage       outageDetector

	ctx   context.Context // ends when the campaign stops or changes its message; held recipients go back
	close context.CancelFunc

	inflight   atomic.Int64 // recipients from claim to outcome
	unwritten  atomic.Int64 // outcomes not yet written
	unwritable atomic.Bool  // a write of outcomes or of returned recipients is being repeated
	proven     atomic.Bool  // FCM has accepted its message at least once
	empty      atomic.Bool  // the last claim found no recipient
	claiming   atomic.Bool  // a claim is under way and owns the fields below; otherwise the claimer does
	idleUntil  time.Time    // no claim before this time
	failures   int          // failed claims in a row
	lastTurn   uint64       // when it last got slots; used by the claimer only
}

// compile prepares a campaign that is served until ctx ends.
func compile(ctx context.Context, spec campaign.Spec, q *queue.Queue, addresses *dedupe.Record) (*activeCampaign, error) {
	ready, err := content.Compile(spec.Message)
	if err != nil {
		return nil, err
	}
	s := &activeCampaign{
		id:      spec.ID,
		raw:     spec.Message,
		edition: spec.Edition,
		content: ready,
		queue:   q,
		paceKey: q.List().Key(keys.SuffixPace),

		addresses: addresses,
	}
	s.ctx, s.close = context.WithCancel(ctx)
	s.applySpec(spec)
	return s, nil
}

// isClosed reports whether the campaign's recipients in this process go back.
func (c *activeCampaign) isClosed() bool { return c.ctx.Err() != nil }

// isBehind reports whether outcomes of the campaign cannot be written, or two batches of them wait.
// Such a campaign is not claimed from: otherwise more and more pushes would have no written
// outcome.
func (c *activeCampaign) isBehind(ackBatch int) bool {
	return c.unwritable.Load() || c.unwritten.Load() >= int64(2*ackBatch)
}

// hasMessageOf reports whether the spec has the compiled message.
func (c *activeCampaign) hasMessageOf(spec campaign.Spec) bool {
	return c.edition == spec.Edition && bytes.Equal(c.raw, spec.Message)
}

// settings may change while a campaign runs. A change holds for all later decisions.
type settings struct {
	weight, priority int
	rate             float64   // pushes a second over all replicas; 0: no limit
	deadline         time.Time // of the spec; zero: none
	overdue          bool      // the list's deadline had passed at the last discovery
	onAmbiguous      campaign.OnAmbiguous
	devices          campaign.DevicePolicy
	dedupe           campaign.Dedupe
	rules            schedule.Rules // when recipients may be sent to; quiet hours of users without their own count
	besideQuiet      schedule.Rules // the same without quiet hours
	quiet            quietPolicy
	kind             campaign.Kind
}

// applySpec takes the settings from a spec.
func (c *activeCampaign) applySpec(spec campaign.Spec) {
	c.settings.Store(&settings{
		weight: spec.Weight, priority: spec.Priority, rate: spec.Rate, deadline: spec.Deadline, overdue: spec.Overdue, onAmbiguous: spec.OnAmbiguous,
		devices: spec.Devices,
		dedupe:  spec.Dedupe,
		rules:   spec.Rules(),
		kind:    spec.Kind,

		besideQuiet: spec.RulesBesideQuiet(),
		quiet:       quietPolicyOf(spec),
	})
}

// setPausedPlatforms stores the platforms whose recipients wait, with the reasons.
func (c *activeCampaign) setPausedPlatforms(platforms map[string]string) {
	if old := c.paused.Load(); old == nil || !maps.Equal(*old, platforms) {
		c.paused.Store(&platforms)
	}
}

// isPlatformPaused reports whether a platform's recipients wait.
func (c *activeCampaign) isPlatformPaused(platform string) bool {
	paused := c.paused.Load()
	if paused == nil || platform == "" {
		return false
	}
	_, ok := (*paused)[platform]
	return ok
}

// noteListDeadline stores when the list expires, by this process's clock; zero: never.
func (c *activeCampaign) noteListDeadline(at time.Time) {
	if old := c.listDeadline.Load(); old == nil || !old.Equal(at) {
		c.listDeadline.Store(&at)
	}
}

// isOverdue reports whether a known deadline of the campaign has passed. Its remaining recipients
// end as expired.
func (c *activeCampaign) isOverdue(now time.Time) bool {
	current := c.settings.Load()
	if current.overdue {
		return true
	}
	deadline := current.deadline
	if list := c.listDeadline.Load(); list != nil {
		deadline = campaign.Earliest(deadline, *list)
	}
	return !deadline.IsZero() && !now.Before(deadline)
}

// cappedHoldTime is how much of its rate a rate-limited campaign holds: more than the time of a
// push, but not so much that it takes slots from others.
const cappedHoldTime = 2 * time.Second

// maxSlots is how many slots the campaign can use; 0: no limit.
func (t *settings) maxSlots() int {
	if t.rate == 0 {
		return 0
	}
	return max(2, int(math.Ceil(t.rate*cappedHoldTime.Seconds())))
}
