package cuts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/servers"
)

// audience is a leased list whose elements are known.
type audience struct {
	t     testing.TB
	rdb   *redis.Client // sound
	queue *queue.Queue
	list  keys.List
	all   []string
	sent  map[string]int // how often each was handed out and ended
}

// open makes a server with a knife in one of two clients.
func open(t *testing.T, settings ...string) (sound, cutting *redis.Client, k *knife) {
	addr := servers.Redis(t, settings...)
	sound, cutting, k = redis.NewClient(&redis.Options{Addr: addr}), redis.NewClient(&redis.Options{Addr: addr}), &knife{}
	cutting.AddHook(k)
	t.Cleanup(func() { _ = sound.Close(); _ = cutting.Close() })
	return sound, cutting, k
}

func newAudience(t testing.TB, sound, cutting *redis.Client, id string, n int) *audience {
	list, err := keys.Default().Campaign(id)
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.New(cutting, list, queue.Options{Emit: list.Key(keys.SuffixOutbox), Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	a := &audience{t: t, rdb: sound, queue: q, list: list, sent: map[string]int{}}
	for i := range n {
		a.all = append(a.all, fmt.Sprintf(`{"userId":"u%d"}`, i))
	}
	if n > 0 {
		a.must(sound.RPush(t.Context(), list.Plain(), a.all).Err())
	}
	return a
}

func (a *audience) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *audience) claim(id string, n int) queue.Lease {
	a.t.Helper()
	lease, err := a.queue.Claim(a.t.Context(), id, n)
	a.must(err)
	return lease
}

func (a *audience) settle(some ...queue.Settlement) {
	a.t.Helper()
	_, err := a.queue.Settle(a.t.Context(), some)
	a.must(err)
}

// outcomes ends every other element of a lease, and puts the others off until now.
func outcomes(l queue.Lease, later bool) []queue.Settlement {
	var all []queue.Settlement
	for i, e := range l.Elements {
		s := queue.Settlement{Claim: l.Claim, Pos: e.Pos, Status: "sent", Emit: e.Raw}
		switch {
		case later && i%2 == 1:
			s = queue.Settlement{Claim: l.Claim, Pos: e.Pos, Later: true, Attempts: e.Attempts + 1, Progress: e.Progress, Cause: "again"}
		case i%4 == 2:
			s.Status, s.Code = "failed", "CODE"
		}
		all = append(all, s)
	}
	return all
}

// progressOf is a progress of all elements of a lease. Their raw bytes identify it.
func progressOf(l queue.Lease) []queue.Progress {
	var all []queue.Progress
	for _, e := range l.Elements {
		all = append(all, queue.Progress{Claim: l.Claim, Pos: e.Pos, Attempts: 1, State: "of" + string(e.Raw)})
	}
	return all
}

// mixed has elements in all places: retries that are due, in back, in the list, in a lease that has
// run out and in one that has not.
func (a *audience) mixed() (held, expired queue.Lease) {
	a.t.Helper()
	one, two := a.claim(queue.NewID(), 4), a.claim(queue.NewID(), 3)
	a.settle(outcomes(one, true)...)
	held, expired = a.claim(queue.NewID(), 4), a.claim(queue.NewID(), 3)
	more := a.claim(queue.NewID(), 2)
	a.settle(queue.Settlement{Claim: more.Claim, Pos: 1, Later: true, Attempts: 1}, queue.Settlement{Claim: more.Claim, Pos: 2, Later: true, Attempts: 2})
	_, err := a.queue.GiveBack(a.t.Context(), two.Claim)
	a.must(err)
	a.expire(expired.Claim)
	a.fallDue()
	return held, expired
}

func (a *audience) expire(claims ...string) {
	a.t.Helper()
	for _, claim := range claims {
		a.must(a.rdb.ZAddXX(a.t.Context(), a.list.Key(keys.SuffixLeases), redis.Z{Score: 1, Member: claim}).Err())
	}
}

func (a *audience) fallDue() {
	a.t.Helper()
	key := a.list.Key(keys.SuffixRetry)
	members, err := a.rdb.ZRange(a.t.Context(), key, 0, -1).Result()
	a.must(err)
	for i, member := range members {
		a.must(a.rdb.ZAdd(a.t.Context(), key, redis.Z{Score: float64(i + 1), Member: member}).Err())
	}
}

func (a *audience) outbox() []string {
	a.t.Helper()
	out, err := a.rdb.LRange(a.t.Context(), a.list.Key(keys.SuffixOutbox), 0, -1).Result()
	a.must(err)
	return out
}

// truthful checks the books: no figure is negative, and they have no one more and no one less than
// there are.
func (a *audience) truthful() {
	a.t.Helper()
	c, err := a.queue.Count(a.t.Context())
	a.must(err)
	var ended int64
	for _, n := range c.Ended {
		ended += n
	}
	if slices.Min([]int64{c.Listed, c.Back, c.Retrying, c.InFlight, c.Claimed, c.Accepted, c.Reaped, ended}) < 0 {
		a.t.Errorf("a figure is negative: %+v", c)
	}
	somewhere, known := c.Listed+c.Back+c.Retrying+c.InFlight+ended, c.Listed+c.Claimed
	total := int64(len(a.all))
	if known != total || somewhere != total {
		a.t.Errorf("books of %d have %d somewhere and %d loaded: %+v", total, somewhere, known, c)
	}
}

// drain takes everything to its end, as if all senders had died.
func (a *audience) drain() {
	a.t.Helper()
	for {
		claims, err := a.rdb.ZRange(a.t.Context(), a.list.Key(keys.SuffixLeases), 0, -1).Result()
		a.must(err)
		a.expire(claims...)
		a.fallDue()
		_, err = a.queue.Reap(a.t.Context())
		a.must(err)
		lease := a.claim(queue.NewID(), 5+len(a.all)/2)
		if len(lease.Elements) == 0 {
			break
		}
		for _, e := range lease.Elements {
			if e.Progress != "" && e.Progress != "of"+string(e.Raw) {
				a.t.Errorf("%s has the progress %q", e.Raw, e.Progress)
			}
		}
		a.settle(outcomes(lease, false)...)
	}
}

// ended checks that everyone has an outcome, that the books say so once, and that no key is left.
// At most so many results are there twice.
func (a *audience) ended(twice int) {
	a.t.Helper()
	a.truthful()
	c, err := a.queue.Count(a.t.Context())
	a.must(err)
	if ended := c.Ended["sent"] + c.Ended["failed"]; int(ended) != len(a.all) || c.Codes["failed:CODE"] != c.Ended["failed"] {
		a.t.Errorf("%d of %d have ended: %+v", ended, len(a.all), c)
	}
	out := a.outbox()
	results := slices.Compact(slices.Sorted(slices.Values(out)))
	if want := slices.Sorted(slices.Values(a.all)); !slices.Equal(results, want) {
		a.t.Errorf("results of %d, want %d: %q", len(results), len(want), results)
	}
	if len(out)-len(results) > twice {
		a.t.Errorf("%d results are there twice, want %d at most", len(out)-len(results), twice)
	}
	left, err := a.rdb.Keys(a.t.Context(), "*lease*").Result()
	a.must(err)
	if len(left) > 0 {
		a.t.Errorf("left: %q", left)
	}
}

// scenario is a call of the queue's that is cut.
type scenario struct {
	script string
	size   int
	// prepare makes what is needed, and the call.
	prepare func(a *audience) (call func() error)
	twice   int // results that a cut may repeat
}

var scenarios = map[string]scenario{
	"claim from everywhere": {"queue/claim", 20, func(a *audience) func() error {
		a.mixed()
		return func() error { _, err := a.queue.Claim(a.t.Context(), "the-claim", 12); return err }
	}, 0},
	"claim from the list": {"queue/claim", 10, func(a *audience) func() error {
		return func() error { _, err := a.queue.Claim(a.t.Context(), "the-claim", 4); return err }
	}, 0},
	"claim one": {"queue/claim", 3, func(a *audience) func() error {
		return func() error { _, err := a.queue.Claim(a.t.Context(), "the-claim", 1); return err }
	}, 0},
	"claim with an expiry": {"queue/claim", 10, func(a *audience) func() error {
		a.must(a.rdb.Expire(a.t.Context(), a.list.Plain(), time.Hour).Err())
		return func() error { _, err := a.queue.Claim(a.t.Context(), "the-claim", 4); return err }
	}, 0},
	"claim of more than one piece": {"queue/claim", 5200, func(a *audience) func() error {
		return func() error { _, err := a.queue.Claim(a.t.Context(), "the-claim", 5100); return err }
	}, 0},
	"claim again": {"queue/claim", 10, func(a *audience) func() error {
		a.claim("the-claim", 4)
		return func() error { _, err := a.queue.Claim(a.t.Context(), "the-claim", 4); return err }
	}, 0},
	"extend": {"queue/extend", 10, func(a *audience) func() error {
		one, two := a.claim(queue.NewID(), 4), a.claim(queue.NewID(), 4)
		return func() error { _, err := a.queue.Extend(a.t.Context(), one.Claim, two.Claim); return err }
	}, 0},
	"settle all": {"queue/settle", 10, func(a *audience) func() error {
		one, two := a.claim(queue.NewID(), 4), a.claim(queue.NewID(), 4)
		all := append(outcomes(one, false), outcomes(two, false)...)
		return func() error { _, err := a.queue.Settle(a.t.Context(), all); return err }
	}, 8},
	"settle some": {"queue/settle", 20, func(a *audience) func() error {
		held, _ := a.mixed()
		other := a.claim(queue.NewID(), 3)
		all := append(outcomes(held, true)[:3], outcomes(other, true)...)
		return func() error { _, err := a.queue.Settle(a.t.Context(), all); return err }
	}, 7},
	"settle beside a lease that is gone": {"queue/settle", 10, func(a *audience) func() error {
		one, two := a.claim(queue.NewID(), 4), a.claim(queue.NewID(), 4)
		_, err := a.queue.GiveBack(a.t.Context(), two.Claim)
		a.must(err)
		all := append(outcomes(one, true)[:2], outcomes(two, true)...)
		return func() error { _, err := a.queue.Settle(a.t.Context(), all); return err }
	}, 2},
	"save progress": {"queue/progress", 20, func(a *audience) func() error {
		held, _ := a.mixed()
		other := a.claim(queue.NewID(), 3)
		all := append(progressOf(held), progressOf(other)...)
		return func() error { _, err := a.queue.SaveProgress(a.t.Context(), all); return err }
	}, 0},
	"settle what has progress": {"queue/settle", 20, func(a *audience) func() error {
		held, _ := a.mixed()
		other := a.claim(queue.NewID(), 3)
		_, err := a.queue.SaveProgress(a.t.Context(), append(progressOf(held), progressOf(other)...))
		a.must(err)
		all := append(outcomes(held, true)[:3], outcomes(other, true)...)
		return func() error { _, err := a.queue.Settle(a.t.Context(), all); return err }
	}, 7},
	"give back what has progress": {"queue/release", 20, func(a *audience) func() error {
		held, _ := a.mixed()
		other := a.claim(queue.NewID(), 3)
		_, err := a.queue.SaveProgress(a.t.Context(), append(progressOf(held), progressOf(other)...))
		a.must(err)
		return func() error { _, err := a.queue.GiveBack(a.t.Context(), held.Claim, other.Claim); return err }
	}, 0},
	"give back": {"queue/release", 20, func(a *audience) func() error {
		held, _ := a.mixed()
		other := a.claim(queue.NewID(), 3)
		return func() error { _, err := a.queue.GiveBack(a.t.Context(), held.Claim, other.Claim); return err }
	}, 0},
	"give back more than one piece": {"queue/release", 5200, func(a *audience) func() error {
		held := a.claim(queue.NewID(), 5100)
		return func() error { _, err := a.queue.GiveBack(a.t.Context(), held.Claim); return err }
	}, 0},
	"give back nothing": {"queue/release", 4, func(a *audience) func() error {
		return func() error { _, err := a.queue.GiveBack(a.t.Context(), "unknown"); return err }
	}, 0},
	"reap": {"queue/release", 20, func(a *audience) func() error {
		a.mixed()
		return func() error { _, err := a.queue.Reap(a.t.Context()); return err }
	}, 0},
	"expired": {"queue/expired", 1, func(a *audience) func() error {
		return func() error { _, err := a.queue.Reap(a.t.Context()); return err }
	}, 0},
	"count": {"queue/count", 1, func(a *audience) func() error {
		return func() error { _, err := a.queue.Count(a.t.Context()); return err }
	}, 0},
}

func TestQueue(t *testing.T) {
	sound, cutting, k := open(t)
	for name, s := range scenarios {
		for _, path := range []string{"repeated", "not repeated", "given back"} {
			t.Run(name+" "+path, func(t *testing.T) {
				type world struct {
					*audience
					call func() error
				}
				each(t, k, s.script, func(t *testing.T) world {
					if err := sound.FlushAll(t.Context()).Err(); err != nil {
						t.Fatal(err)
					}
					a := newAudience(t, sound, cutting, "campaign 42 {odd}", s.size)
					return world{a, s.prepare(a)}
				}, func(_ *testing.T, w world) error { return w.call() }, func(t *testing.T, w world) {
					w.t = t
					w.truthful()
					switch path {
					case "repeated":
						w.must(w.call())
						w.truthful()
					case "given back":
						_, err := w.queue.GiveBack(t.Context(), "the-claim")
						w.must(err)
						w.truthful()
					}
					w.drain()
					w.ended(s.twice)
				})
			})
		}
	}
}
