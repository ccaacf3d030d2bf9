package caps

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCaps(t *testing.T) {
	t.Parallel()
	backends.Run(t, backends.Suite{
		{Name: "a cap is shared by campaigns and freed by a release", Test: sharedAndFreed},
		{Name: "of several reached caps the one that frees last is named", Test: namesTheLast},
		{Name: "an element finds the entry that it made", Test: findsOwn},
		{Name: "an element finds its entry although clocks differ", Test: findsOwnByAnotherClock},
		{Name: "a lost reply counts once", Test: lostReply},
		{Name: "campaigns at once never exceed a cap", Test: atOnceTest},
		{Name: "the shards grow and forget no one", Test: grows},
		{Name: "what is left is told", Test: told},
		{Name: "keys expire with the longest window", Test: expires},
		{Name: "a key of another type is named", Test: wrongType},
		{Name: "random courses agree with a model", Test: agrees},
	})
}

const day = 24 * time.Hour

// fixture is a limiter whose clock the test moves.
type fixture struct {
	*testing.T
	*Limiter
	clock *clock
}

func open(t *testing.T, b *backends.Backend, rule string) fixture {
	t.Helper()
	for shard := range shards {
		b.Redis.Del(t.Context(), keys.Default().Caps(shard))
	}
	caps, err := Parse(rule)
	if err != nil {
		t.Fatal(err)
	}
	c := newClock(b.Redis.Time(t.Context()).Val())
	return fixture{T: t, Limiter: New(b.WithHook(t, c), keys.Default(), caps), clock: c}
}

// elementOf reads "campaign/element user".
func (f fixture) elementOf(text string) Element {
	name, user, _ := strings.Cut(text, " ")
	campaign, id, _ := strings.Cut(name, "/")
	return Element{User: user, Campaign: campaign, ID: id, Since: f.clock.now()}
}

func (f fixture) elements(texts []string) []Element {
	all := make([]Element, len(texts))
	for i, text := range texts {
		all[i] = f.elementOf(text)
	}
	return all
}

// reserves compares who may be sent to with want, such as "yes no".
func (f fixture) reserves(want string, texts ...string) map[int]Reservation {
	f.Helper()
	refused, err := f.Reserve(f.Context(), f.elements(texts))
	if err != nil {
		f.Fatal(err)
	}
	words := make([]string, len(texts))
	for i := range texts {
		words[i] = "yes"
		if refused[i].Capped {
			words[i] = "no"
		}
	}
	if got := strings.Join(words, " "); got != want {
		f.Errorf("%v: %s, want %s", texts, got, want)
	}
	return refused
}

func (f fixture) releases(texts ...string) {
	f.Helper()
	if err := f.Release(f.Context(), f.elements(texts)); err != nil {
		f.Fatal(err)
	}
}

func sharedAndFreed(t *testing.T, b *backends.Backend) {
	f := open(t, b, "2 in 1d, 3 in 7d")
	f.reserves("yes yes yes", "a/1 ann", "a/2 bob", "b/1 ann")
	refused := f.reserves("no yes no", "c/1 ann", "c/2 bob", "c/3 ann")
	if r := refused[0]; r.Cap != (Cap{2, day}) || r.HadEntry || r.FreesAt.Sub(f.clock.now()) < day || r.FreesAt.Sub(f.clock.now()) > day+unit {
		t.Errorf("%+v, want the day's cap, which frees in a day", r)
	}
	f.releases("b/1 ann", "b/1 bob", "z/9 ann") // the others have no entry
	f.reserves("yes no", "c/1 ann", "c/3 ann")
	f.clock.advance(day)
	f.reserves("no", "d/1 ann")
	f.clock.advance(unit)
	f.reserves("yes", "d/1 ann")
	if r := f.reserves("no", "e/1 ann")[0]; r.Cap != (Cap{3, 7 * day}) {
		t.Errorf("%+v, want the week's cap", r)
	}
}

// findsOwnByAnotherClock: in a cluster, the first claim is timed by a server whose clock is ahead
// of the one with the caps. The two may stand on different sides of a quarter hour.
func findsOwnByAnotherClock(t *testing.T, b *backends.Backend) {
	f := open(t, b, "1 in 1d")
	f.clock.advance(unit - time.Second)
	own := Element{User: "ann", Campaign: "a", ID: "1", Since: f.clock.now().Add(2 * time.Second)}
	for call, hadEntry := range []bool{false, true} {
		found, err := f.Reserve(t.Context(), []Element{own})
		if err != nil || found[0].Capped || found[0].HadEntry != hadEntry {
			t.Errorf("call %d: %v %v, want its own entry found: %v", call, found, err, hadEntry)
		}
	}
	if err := f.Release(t.Context(), []Element{own}); err != nil {
		t.Fatal(err)
	}
	f.reserves("yes", "b/1 ann")
}

func namesTheLast(t *testing.T, b *backends.Backend) {
	f := open(t, b, "1 in 1d, 3 in 7d")
	f.reserves("yes yes", "a/1 ann", "a/2 bob")
	f.clock.advance(3 * day)
	f.reserves("yes", "b/1 ann")
	f.clock.advance(3*day + 12*time.Hour)
	f.reserves("yes yes", "c/1 ann", "c/2 bob")
	f.clock.advance(6 * time.Hour)
	// The week frees on day 7 and the day 12 hours later.
	r := f.reserves("no no", "d/1 ann", "d/2 bob")
	if left := r[0].FreesAt.Sub(f.clock.now()); r[0].Cap != (Cap{1, day}) || left <= 18*time.Hour-unit || left > 18*time.Hour+unit {
		t.Errorf("%+v, want the day's cap, which frees in 18 hours", r[0])
	}
	f.clock.advance(12*time.Hour + unit)
	if r := f.reserves("no", "d/1 ann")[0]; r.Cap != (Cap{1, day}) {
		t.Errorf("%+v, want the day's cap after the week's is free", r)
	}
	f = open(t, b, "1 in 1d, 2 in 7d")
	f.reserves("yes", "a/1 ann")
	f.clock.advance(2 * day)
	f.reserves("yes", "b/1 ann")
	if r := f.reserves("no", "c/1 ann")[0]; r.Cap != (Cap{2, 7 * day}) || r.FreesAt.Sub(f.clock.now()) < 5*day {
		t.Errorf("%+v, want the week's cap, which frees in five days", r)
	}
}

func findsOwn(t *testing.T, b *backends.Backend) {
	f := open(t, b, "1 in 1d, 2 in 14d")
	f.reserves("yes no", "a/1 ann", "b/1 ann")
	f.clock.advance(20 * time.Hour)
	first := Element{User: "ann", Campaign: "a", ID: "1", Since: f.clock.now().Add(-20 * time.Hour)}
	if refused, err := f.Reserve(t.Context(), []Element{first}); err != nil || refused[0].Capped || !refused[0].HadEntry {
		t.Errorf("%v %v, want the element's own entry found", refused, err)
	}
	f.clock.advance(20 * time.Hour)
	f.reserves("no", "b/1 ann") // the entry has moved
	f.clock.advance(5 * time.Hour)
	f.reserves("yes", "b/1 ann")
	if refused, err := f.Reserve(t.Context(), []Element{first}); err != nil || !refused[0].Capped || !refused[0].HadEntry {
		t.Errorf("%v %v, want a refusal: another campaign was first, and the element has an entry", refused, err)
	}
	late := first
	late.Since = f.clock.now()
	if refused, err := f.Reserve(t.Context(), []Element{late}); err != nil || !refused[0].Capped || refused[0].HadEntry {
		t.Errorf("%v %v, want an entry that is older than the element left alone", refused, err)
	}
}

func lostReply(t *testing.T, b *backends.Backend) {
	f := open(t, b, "1 in 1d")
	lossy := New(b.Lossy, keys.Default(), f.Caps())
	b.Lose(t, func(n int, _ []string) bool { return n == 1 || n == 3 })
	some := f.elements([]string{"a/1 ann", "a/2 bob"})
	if refused, err := lossy.Reserve(t.Context(), some); err != nil || refused[0].Capped || refused[1].Capped {
		t.Errorf("%v %v, want both reserved", refused, err)
	}
	if err := lossy.Release(t.Context(), some[:1]); err != nil {
		t.Fatal(err)
	}
	if _, lost := b.CountScripts(); lost == 0 {
		t.Fatal("no reply was lost")
	}
	f.reserves("yes no", "b/1 ann", "b/2 bob")
}

// Each of several campaigns reserves for the same users, in calls at the same time.
func atOnceTest(t *testing.T, b *backends.Backend) {
	f := open(t, b, "2 in 1d")
	const users, campaigns = 150, 4
	var sent [users]atomic.Int32
	var all sync.WaitGroup
	for campaign := range campaigns {
		all.Go(func() {
			for from := 0; from < users; from += 30 {
				var some []Element
				for user := from; user < from+30; user++ {
					some = append(some, f.elementOf(fmt.Sprintf("%d/%d u%d", campaign, user, user)))
				}
				refused, err := f.Reserve(t.Context(), some)
				if err != nil {
					t.Error(err)
				}
				for i := range some {
					if !refused[i].Capped {
						sent[from+i].Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	for user := range sent {
		if n := sent[user].Load(); n != 2 {
			t.Errorf("user %d was reserved %d times, want 2", user, n)
		}
	}
}

func grows(t *testing.T, b *backends.Backend) {
	f := open(t, b, "1 in 1d")
	const users = 3000
	texts := make([]string, users)
	for i := range texts {
		texts[i] = fmt.Sprintf("a/%d u%d", i, i)
	}
	f.reserves(strings.TrimSuffix(strings.Repeat("yes ", users), " "), texts...)
	for i := range texts {
		texts[i] = fmt.Sprintf("b/%d u%d", i, i)
	}
	f.reserves(strings.TrimSuffix(strings.Repeat("no ", users), " "), texts...)
	largest, counted := 0, 0
	for shard := range shards {
		for field, value := range b.Redis.HGetAll(t.Context(), keys.Default().Caps(shard)).Val() {
			var buckets, n int
			if field != "n" {
				largest = max(largest, len(value))
			} else if _, err := fmt.Sscan(value, &buckets, &n); err != nil || n > 6*buckets {
				t.Errorf("shard %d has %q buckets and users: %v", shard, value, err)
			}
			counted += n
		}
	}
	if counted != users || largest > 3+30*13 {
		t.Errorf("%d users are counted, want %d; the largest bucket has %d bytes, want it small", counted, users, largest)
	}
	f.clock.advance(10 * day)
	for i := range texts {
		texts[i] = fmt.Sprintf("c/%d v%d", i, i)
	}
	f.reserves(strings.TrimSuffix(strings.Repeat("yes ", users), " "), texts...)
	if counted = countUsers(t, b); counted > users*5/4 {
		t.Errorf("%d users are counted after those of long ago have expired, want about %d", counted, users)
	}
	f.releases(texts[:100]...)
	if left := countUsers(t, b); left != counted-100 {
		t.Errorf("%d of %d users are counted after 100 are released", left, counted)
	}
}

// countUsers returns how many users the shards count, by which they grow.
func countUsers(t *testing.T, b *backends.Backend) (users int) {
	t.Helper()
	for shard := range shards {
		var buckets, n int
		_, _ = fmt.Sscan(b.Redis.HGet(t.Context(), keys.Default().Caps(shard), "n").Val(), &buckets, &n)
		users += n
	}
	return users
}

func told(t *testing.T, b *backends.Backend) {
	f := open(t, b, "2 in 1d, 3 in 7d")
	f.reserves("yes yes", "a/1 ann", "b/1 ann")
	f.clock.advance(2 * day)
	f.reserves("yes yes", "c/1 ann", "c/2 bob")
	all, err := f.Find(t.Context(), []string{"cid", "ann", "bob"})
	if err != nil || len(all) != 3 {
		t.Fatalf("%v %v", all, err)
	}
	if all[0][0].Used != 0 || all[0][1].Used != 0 || all[2][0].Used != 1 || !all[2][1].FreesAt.IsZero() {
		t.Errorf("%+v, want cid with none and bob with one", all)
	}
	if u := all[1]; u[0].Used != 1 || !u[0].FreesAt.IsZero() || u[1].Used != 3 || u[1].FreesAt.Sub(f.clock.now()) > 5*day+unit || u[1].FreesAt.Sub(f.clock.now()) < 5*day-unit {
		t.Errorf("%+v, want ann at the week's cap for five days", u)
	}
	if u := all[1]; !u[1].OldestUntil.Equal(u[1].FreesAt) || u[0].OldestUntil.Sub(f.clock.now()) < day || u[0].OldestUntil.Sub(f.clock.now()) > day+unit || !all[0][0].OldestUntil.IsZero() {
		t.Errorf("%+v, want ann's oldest to count for a day and for five, and none of cid's", all)
	}
}

func expires(t *testing.T, b *backends.Backend) {
	f := open(t, b, "1 in 1d, 2 in 7d")
	f.reserves("yes yes", "a/1 ann", "a/2 bob")
	found := 0
	for shard := range shards {
		if left := b.Redis.PTTL(t.Context(), keys.Default().Caps(shard)).Val(); left > 0 {
			found++
			if left > 7*day+unit || left < 7*day {
				t.Errorf("shard %d expires in %s, want a week", shard, left)
			}
		} else if left == -1 {
			t.Errorf("shard %d never expires", shard)
		}
	}
	if found == 0 {
		t.Error("no shard expires")
	}
}

func wrongType(t *testing.T, b *backends.Backend) {
	f := open(t, b, "1 in 1d")
	p := packElements(f.elements([]string{"a/1 ann"}))
	for shard := range shards {
		if len(p.order[shard]) == 0 {
			continue
		}
		key := keys.Default().Caps(shard)
		b.Redis.Set(t.Context(), key, "x", 0)
		_, err := f.Reserve(t.Context(), f.elements([]string{"a/1 ann"}))
		if mistyped, ok := errors.AsType[*redisx.TypeError](err); !ok || mistyped.Key != key {
			t.Errorf("%v, want %s named", err, key)
		}
		b.Redis.Del(t.Context(), key)
	}
}

// Without caps there is no limiter, and so no call.
func TestNoCaps(t *testing.T) {
	if New(nil, keys.Default(), nil) != nil {
		t.Error("a limiter without caps")
	}
}
