package cuts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// pile is a list of dead letters.
type pile struct {
	t     *testing.T
	rdb   *redis.Client
	dead  *responses.DeadLetters
	all   []string
	taken responses.Batch
}

const pileKey = "{notification:responses}:dead"

func newPile(t *testing.T, sound, cutting *redis.Client, n int) *pile {
	t.Helper()
	if err := sound.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	dead, err := responses.NewDeadLetters(cutting, keys.Default(), responses.DeadLetterOptions{MaxLetters: 10})
	if err != nil {
		t.Fatal(err)
	}
	p := &pile{t: t, rdb: sound, dead: dead}
	for i := range n {
		r := notification.Result{
			CampaignID: "42", UserID: fmt.Sprint("u", i), Status: notification.StatusFailed, ErrorCode: "CODE",
			At: time.Now().Add(-time.Hour).UTC(), ResultID: fmt.Sprint("r", i),
		}
		l := responses.FailedLetter(r, time.Now())
		p.all = append(p.all, l.ID)
		p.must(sound.RPush(t.Context(), pileKey, responses.AppendDeadLetter(nil, &l)).Err())
	}
	return p
}

func (p *pile) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pile) letters() (all []responses.DeadLetter) {
	p.t.Helper()
	for l, err := range p.dead.List(p.t.Context(), responses.Filter{}) {
		p.must(err)
		all = append(all, l)
	}
	return all
}

// hold checks that the letters are all there, each once, behind the leases of those that took some.
func (p *pile) hold(want []string) {
	p.t.Helper()
	batches := pileKey + ":batches"
	for _, member := range p.rdb.ZRange(p.t.Context(), batches, 0, -1).Val() {
		p.must(p.rdb.ZAddXX(p.t.Context(), batches, redis.Z{Score: 1, Member: member}).Err())
	}
	var ids []string
	for _, l := range p.letters() {
		ids = append(ids, l.ID)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, slices.Sorted(slices.Values(want))) {
		p.t.Errorf("letters %q, want %q", ids, want)
	}
	if left := p.rdb.Keys(p.t.Context(), pileKey+":batch*").Val(); len(left) > 0 {
		p.t.Errorf("left: %q", left)
	}
}

func TestDeadLetters(t *testing.T) {
	sound, cutting, k := open(t)
	take := func(p *pile) error {
		some := p.letters()[2:5]
		b, err := p.dead.Take(p.t.Context(), "42", some...)
		p.taken = b
		return err
	}
	for name, s := range map[string]struct {
		script  string
		letters int
		prepare func(p *pile)
		act     func(p *pile) error
		check   func(p *pile)
	}{
		"take": {"responses/dead_take", 8, func(*pile) {}, take, func(p *pile) {
			p.t.Helper()
			p.hold(p.all)
		}},
		"take again": {"responses/dead_take", 8, func(*pile) {}, take, func(p *pile) {
			p.must(take(p)) // another replay
			taken := p.taken.Letters
			p.must(p.dead.MarkReplayed(p.t.Context(), p.taken))
			var left []string
			for _, id := range p.all {
				if !slices.ContainsFunc(taken, func(l responses.DeadLetter) bool { return l.ID == id }) {
					left = append(left, id)
				}
			}
			p.hold(left)
		}},
		"put back": {"responses/dead_release", 8, func(p *pile) { p.must(take(p)) }, func(p *pile) error {
			return p.dead.PutBack(p.t.Context(), p.taken)
		}, func(p *pile) { p.hold(p.all) }},
		"replayed": {"responses/dead_release", 8, func(p *pile) { p.must(take(p)) }, func(p *pile) error {
			return p.dead.MarkReplayed(p.t.Context(), p.taken)
		}, func(p *pile) {
			p.must(p.dead.MarkReplayed(p.t.Context(), p.taken))
			p.hold(slices.Concat(p.all[:2], p.all[5:]))
		}},
		"remove": {"responses/dead_remove", 8, func(*pile) {}, func(p *pile) error {
			_, err := p.dead.Remove(p.t.Context(), p.letters()[2:5]...)
			return err
		}, func(p *pile) {
			kept := slices.Concat(p.all[:2], p.all[5:])
			for _, l := range p.letters() {
				kept = slices.DeleteFunc(kept, func(id string) bool { return id == l.ID })
			}
			if len(kept) > 0 {
				p.t.Errorf("lost %q", kept)
			}
			_, err := p.dead.Purge(p.t.Context(), responses.Filter{})
			p.must(err)
			p.hold(nil)
			if n := p.rdb.LLen(p.t.Context(), pileKey).Val(); n > 1 {
				p.t.Errorf("%d entries are left", n)
			}
		}},
		"trim": {"responses/dead_trim", 14, func(*pile) {}, func(p *pile) error {
			_, err := p.dead.Trim(p.t.Context())
			return err
		}, func(p *pile) {
			_, err := p.dead.Trim(p.t.Context())
			p.must(err)
			p.hold(p.all[4:])
		}},
		"list": {"responses/dead_page", 8, func(*pile) {}, func(p *pile) error { _, err := p.dead.Count(p.t.Context(), responses.Filter{}); return err },
			func(p *pile) { p.hold(p.all) }},
		"recover": {"responses/dead_expired", 8, func(*pile) {}, func(p *pile) error { _, err := p.dead.Count(p.t.Context(), responses.Filter{}); return err },
			func(p *pile) { p.hold(p.all) }},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, k, s.script, func(t *testing.T) *pile {
				p := newPile(t, sound, cutting, s.letters)
				s.prepare(p)
				return p
			}, func(t *testing.T, p *pile) error { p.t = t; return s.act(p) }, func(t *testing.T, p *pile) { p.t = t; s.check(p) })
		})
	}
}

// Results in an outbox, and those that a full Redis takes from a script only, arrive at least once.
func TestOutbox(t *testing.T) {
	sound, cutting, k := open(t)
	list, err := keys.Default().Campaign("42")
	if err != nil {
		t.Fatal(err)
	}
	key, all := list.Key(keys.SuffixOutbox), []string{"a", "b", "c"}
	outbox, err := responses.NewOutbox(cutting, keys.Default(), responses.OutboxOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	forward := func(t *testing.T, _ struct{}) error { _, err := outbox.Forward(t.Context(), list); return err }
	check := func(t *testing.T, _ struct{}) {
		for sound.LLen(t.Context(), key).Val() > 0 {
			sound.Del(t.Context(), list.Key(keys.SuffixForward))
			if err := forward(t, struct{}{}); err != nil {
				t.Fatal(err)
			}
		}
		got := sound.LRange(t.Context(), "notification:responses", 0, -1).Val()
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), all) {
			t.Errorf("forwarded %q", got)
		}
	}
	for script, memory := range map[string]string{"responses/trim": "0", "responses/push": "1"} {
		each(t, k, script, func(t *testing.T) (w struct{}) {
			for _, err := range []error{
				sound.ConfigSet(t.Context(), "maxmemory", "0").Err(), sound.FlushAll(t.Context()).Err(),
				sound.RPush(t.Context(), key, all).Err(), sound.ConfigSet(t.Context(), "maxmemory", memory).Err(),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			return w
		}, forward, check)
	}
}
