package operator

import (
	"context"
	"fmt"
	"math"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// KeptBack counts the recipients of platforms on hold. They are among the retries, and only their
// elements say which platform they have.
type KeptBack struct {
	ByPlatform map[string]PlatformWait
	// Unnamed are retries whose element names no platform: the stored devices of their users may.
	Unnamed int64
	// Exact reports whether every retry was read. If not, the counts are estimates from a sample.
	Exact bool
}

// PlatformWait is how many recipients of a platform wait, and when the first of them is looked at.
type PlatformWait struct {
	N    int64
	Next time.Time
}

// keptBackSample is how many retries are read at most of one campaign, and keptBackAll of all in a
// list. Of each campaign keptBackLeast are read, however many there are.
const (
	keptBackSample = 1000
	keptBackAll    = 10_000
	keptBackLeast  = 40
)

// readKeptBack counts the recipients of platforms on hold for those views that have one. They are a
// remark beside a reason, so an error leaves them out.
func (o *Operator) readKeptBack(ctx context.Context, views []View) {
	var (
		queues  []*queue.Queue
		sampled []*View
	)
	for i := range views {
		v := &views[i]
		if len(v.Breaker.Paused) == 0 || v.Books.Retrying == 0 {
			continue
		}
		q, err := o.deps.Campaigns.Queue(v.Spec.ID)
		if err != nil {
			continue
		}
		queues, sampled = append(queues, q), append(sampled, v)
	}
	counts, read := make([]KeptBack, len(queues)), make([]int64, len(queues))
	n := min(keptBackSample, max(keptBackLeast, keptBackAll/max(1, len(queues))))
	samples := queue.SampleRetriesOf(ctx, queues, int64(n), func(i int, raw []byte, due time.Time) {
		read[i]++
		counts[i].add(raw, due)
	})
	for i, s := range samples {
		if s.Err != nil {
			continue
		}
		k := &counts[i]
		if k.Exact = read[i] == s.Total; !k.Exact && read[i] > 0 {
			k.scale(float64(s.Total) / float64(read[i]))
		}
		sampled[i].KeptBack = k
	}
}

func (k *KeptBack) add(raw []byte, due time.Time) {
	r, err := campaign.DecodeRecipient(raw)
	if err != nil {
		return // it ends once it is claimed
	}
	platforms := platformsOf(r)
	if len(platforms) == 0 {
		k.Unnamed++
	}
	for platform := range platforms {
		if k.ByPlatform == nil {
			k.ByPlatform = make(map[string]PlatformWait)
		}
		wait := k.ByPlatform[platform]
		if wait.N++; wait.Next.IsZero() || due.Before(wait.Next) {
			wait.Next = due
		}
		k.ByPlatform[platform] = wait
	}
}

// platformsOf are the platforms that an element names.
func platformsOf(r notification.Recipient) map[string]bool {
	named := make(map[string]bool)
	if r.Platform != "" {
		named[r.Platform] = true
	}
	for _, d := range r.Devices {
		if d.Platform != "" {
			named[d.Platform] = true
		}
	}
	return named
}

// scale makes estimates of the counts of a sample.
func (k *KeptBack) scale(factor float64) {
	for platform, wait := range k.ByPlatform {
		wait.N = int64(math.Round(float64(wait.N) * factor))
		k.ByPlatform[platform] = wait
	}
	k.Unnamed = int64(math.Round(float64(k.Unnamed) * factor))
}

// addKeptBack adds to the reason of a platform on hold how many recipients wait, and when the next
// look at them is. Only an exact count goes into People, which others sum up.
func (w *why) addKeptBack(r *Reason, platform string) {
	b, k := w.Books, w.KeptBack
	if b.Retrying == 0 {
		return
	}
	next := b.NextRetry
	switch {
	case k == nil:
		r.Detail += fmt.Sprintf("; at most %s of its recipients wait", Thousands(b.Retrying))
	case k.Unnamed > 0:
		r.Detail += fmt.Sprintf("; at most %s of its recipients wait", Thousands(min(b.Retrying, k.ByPlatform[platform].N+k.Unnamed)))
	case k.ByPlatform[platform].N == 0:
		return
	case k.Exact:
		r.People, next = k.ByPlatform[platform].N, k.ByPlatform[platform].Next
	default:
		r.Detail += fmt.Sprintf("; ≈ %s of its recipients wait, as a sample of all retries says", Thousands(k.ByPlatform[platform].N))
		next = k.ByPlatform[platform].Next
	}
	if next.After(w.Now) {
		r.Detail += "; the next are looked at in " + Span(max(time.Second, next.Sub(w.Now).Round(time.Second)))
	}
}
