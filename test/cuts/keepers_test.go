package cuts

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
)

// room is a Redis with one campaign, which is prepared through a sound client and cut through the
// other.
type room struct {
	t              *testing.T
	rdb            *redis.Client // sound
	sound, cutting *campaign.Campaigns
	loader         *campaign.Loader
	failed         bool // the call was cut
}

const spec, counts, list = "{campaign:42}:spec", "{campaign:42}:counts", "campaign:42"

func newRoom(t *testing.T, sound, cutting *redis.Client) *room {
	t.Helper()
	must(t, sound.FlushAll(t.Context()).Err())
	r := &room{t: t, rdb: sound}
	for rdb, into := range map[*redis.Client]**campaign.Campaigns{sound: &r.sound, cutting: &r.cutting} {
		all, err := campaign.New(rdb, keys.Default(), campaign.Options{Retention: 2 * time.Hour, Project: "p"})
		must(t, err)
		*into = all
	}
	return r
}

func (r *room) must(err error) { r.t.Helper(); must(r.t, err) }

// write sets fields of a hash, and an expiry where one is given.
func (r *room) write(key string, expiry time.Duration, fields ...any) {
	r.t.Helper()
	r.must(r.rdb.HSet(r.t.Context(), key, fields...).Err())
	if expiry > 0 {
		r.must(r.rdb.Expire(r.t.Context(), key, expiry).Err())
	}
}

// push is what an application does.
func (r *room) push(expiry time.Duration, elements ...any) {
	r.t.Helper()
	r.must(r.rdb.RPush(r.t.Context(), list, elements...).Err())
	if expiry > 0 {
		r.must(r.rdb.Expire(r.t.Context(), list, expiry).Err())
	}
}

// create makes a campaign and brings it into a state.
func (r *room) create(states ...campaign.State) {
	r.t.Helper()
	r.must(r.sound.Create(r.t.Context(), campaign.Spec{ID: "42", Message: []byte(`{"notification":{"title":"Hello"}}`), State: campaign.Running}))
	for _, state := range states {
		r.must(r.sound.Move(r.t.Context(), "42", state, "because"))
	}
}

func batchOf(names ...string) (batch [][]byte) {
	for _, name := range names {
		batch = append(batch, fmt.Appendf(nil, `{"userId":%q}`, name))
	}
	return batch
}

// load opens a load through the client that is cut, and brings a batch where one is given.
func (r *room) load(appending bool, first ...string) {
	r.t.Helper()
	l, err := r.cutting.Load(r.t.Context(), "42", appending)
	r.must(err)
	if len(first) > 0 {
		r.must(l.Append(r.t.Context(), batchOf(first...)))
	}
	r.loader = l
}

// interrupt is a load that came to a first batch.
func (r *room) interrupt() {
	r.t.Helper()
	r.load(false, "a", "b")
	r.must(r.loader.Abandon(r.t.Context()))
}

var random = regexp.MustCompile(`[0-9A-Za-z_-]{16,}`)

// looks is all that Redis holds, with moments in hours from now, and without what is random.
func (r *room) looks() string {
	r.t.Helper()
	keys, err := r.rdb.Keys(r.t.Context(), "*").Result()
	r.must(err)
	var all []string
	hours := func(ms string) string {
		at, err := strconv.ParseInt(ms, 10, 64)
		r.must(err)
		return fmt.Sprintf("now%+.0fh", time.Until(time.UnixMilli(at)).Hours())
	}
	for _, key := range keys {
		text := key + " for " + r.rdb.PTTL(r.t.Context(), key).Val().Round(time.Hour).String()
		switch r.rdb.Type(r.t.Context(), key).Val() {
		case "hash":
			fields := r.rdb.HGetAll(r.t.Context(), key).Val()
			for _, field := range slices.Sorted(maps.Keys(fields)) {
				text += fmt.Sprintf(" %s=%s", field, moments.ReplaceAllStringFunc(fields[field], hours))
			}
		case "list":
			text += moments.ReplaceAllStringFunc(fmt.Sprint(" ", r.rdb.LRange(r.t.Context(), key, 0, -1).Val()), hours)
		case "stream":
			for _, entry := range r.rdb.XRange(r.t.Context(), key, "-", "+").Val() {
				text += fmt.Sprint(" ", entry.Values)
			}
		case "set":
			text += fmt.Sprint(" ", r.rdb.SMembers(r.t.Context(), key).Val())
		}
		all = append(all, random.ReplaceAllString(text, "ID"))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// discover looks for campaigns as a dispatcher does that has just started.
func (r *room) discover() {
	r.t.Helper()
	all, err := campaign.New(r.rdb, keys.Default(), campaign.Options{Retention: 2 * time.Hour, Project: "p"})
	r.must(err)
	_, err = all.Discover(r.t.Context())
	r.must(err)
}

// appendPushed counts a batch, or takes it back. queue/append does the work if the transaction of
// the batch is discarded.
const appendPushed = "queue/append_pushed"

// TestKeepers cuts what loads, keeps and ends campaigns. Repeated, and looked at by a dispatcher,
// all is as if nothing had been cut; not repeated, no audience is lost or gets another deadline.
func TestKeepers(t *testing.T) {
	sound, cutting, k := open(t)
	for name, s := range keepers {
		t.Run(name, func(t *testing.T) { s.cut(t, sound, cutting, k) })
		if s.script == appendPushed {
			t.Run(name+", discarded", func(t *testing.T) {
				k.discardAll(t)
				s.script = "queue/append"
				s.cut(t, sound, cutting, k)
			})
		}
	}
}

func (s keeper) cut(t *testing.T, sound, cutting *redis.Client, k *knife) {
	t.Helper()
	prepare := func(t *testing.T) *room {
		r := newRoom(t, sound, cutting)
		s.prepare(r)
		return r
	}
	whole := prepare(t)
	before := whole.audience()
	must(t, s.call(whole))
	after := whole.audience()
	whole.discover()
	want := whole.looks()
	call := func(_ *testing.T, r *room) error {
		err := s.call(r)
		r.failed = err != nil
		return err
	}
	each(t, k, s.script, prepare, call, func(t *testing.T, r *room) {
		r.t = t
		if got := r.audience(); got != before && got != after {
			t.Errorf("cut, it has the audience %s, want %s or %s", got, before, after)
		}
		if r.failed {
			r.must(s.call(r))
		}
		r.discover()
		if got := r.looks(); got != want {
			t.Errorf("repeated, it holds\n%s\nwant\n%s", got, want)
		}
	})
	each(t, k, s.script, prepare, call, func(t *testing.T, r *room) {
		r.t = t
		r.discover()
		r.discover()
		r.bounded()
	})
}

// audience are the recipients that are there, wherever.
func (r *room) audience() string {
	r.t.Helper()
	q, err := r.sound.Queue("42")
	r.must(err)
	c, err := q.Count(r.t.Context())
	r.must(err)
	return fmt.Sprint(c.Listed + c.Back + c.Retrying + c.InFlight)
}

// bounded checks expiries: keys of what runs have none but the guard of its list, those of what has
// ended all have one. A deadline is that of a producer or of the load.
func (r *room) bounded() {
	r.t.Helper()
	state := r.rdb.HGet(r.t.Context(), spec, "state").Val()
	for _, key := range r.rdb.Keys(r.t.Context(), "*campaign:42*").Val() {
		ttl := r.rdb.PTTL(r.t.Context(), key).Val()
		switch {
		case key == list || strings.Contains(key, ":load:"):
		case state == "running" && ttl >= 0:
			r.t.Errorf("%s of a running campaign expires in %s", key, ttl)
		case (state == "completed" || state == "cancelled") && ttl < 0:
			r.t.Errorf("%s of a campaign that is %s never expires", key, state)
		}
	}
	if ms, err := r.rdb.HGet(r.t.Context(), counts, "deadline").Int64(); err == nil && ms > 0 {
		if left := time.Until(time.UnixMilli(ms)).Round(time.Hour); left != 3*time.Hour && left != 24*time.Hour {
			r.t.Errorf("the deadline is in %s, want the producer's or the load's", left)
		}
	}
}
