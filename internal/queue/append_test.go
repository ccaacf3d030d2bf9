package queue_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

func (f fixture) append(load string, seq int64, ttl time.Duration, elements ...string) bool {
	f.Helper()
	batch := make([][]byte, len(elements))
	for i, e := range elements {
		batch[i] = []byte(e)
	}
	accepted, err := f.Append(f.Context(), queue.Batch{Load: load, Number: seq, Elements: batch, TTL: ttl})
	if err != nil {
		f.Fatalf("append: %v", err)
	}
	return accepted
}

func appendsOnce(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	all := numbered("u", 5004)
	wantEqual(t, "first batch accepted", f.append("load1", 0, time.Hour, all[:5001]...), true)
	wantEqual(t, "a later batch before its turn accepted", f.append("load1", 9, time.Hour, all[5001:5002]...), true)
	wantEqual(t, "one between accepted", f.append("load1", 4, time.Hour, all[5002:5003]...), true)
	wantEqual(t, "first batch accepted again", f.append("load1", 0, time.Hour, all[:5001]...), false)
	wantEqual(t, "same number of another load accepted", f.append("load2", 0, 0, all[5003:]...), true)

	list, err := f.rdb.LRange(t.Context(), f.list.Plain(), 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, "list", list, slices.Clone(all))
	wantEqual(t, "accepted", f.counts().Accepted, int64(len(all)))
	for _, key := range []string{f.list.Plain(), f.list.Load("load1"), f.list.Key("load:load2")} {
		if ttl := f.rdb.PTTL(t.Context(), key).Val(); ttl <= 0 {
			t.Errorf("key %s has no expiry", key)
		}
	}
	if ttl := f.rdb.PTTL(t.Context(), f.list.Plain()).Val() - queue.DefaultLinger; ttl > time.Hour || ttl < 59*time.Minute {
		t.Errorf("list expires in %s and the linger, want an hour: 0 leaves it alone", ttl)
	}
	c := f.counts()
	if left := c.Deadline.Sub(c.Now); left > time.Hour || left < 59*time.Minute || !c.Assumed {
		t.Errorf("the deadline is in %s, assumed %v, want an hour: only we have set it", left, c.Assumed)
	}
}

// No batch is pushed after the mark is gone, not even a repeated one.
func appendsWhileMarked(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	counts := f.list.Key(keys.SuffixCounts)
	push := func(number int64) (bool, error) {
		return f.Append(t.Context(), queue.Batch{Load: "load", Number: number, Elements: [][]byte{[]byte("a")}, Mark: "mark"})
	}
	refused := func(number int64) {
		t.Helper()
		before := f.dump()
		if accepted, err := push(number); accepted || !errors.Is(err, queue.ErrUnmarked) {
			t.Errorf("append without a mark: accepted %t, error %v", accepted, err)
		}
		wantEqual(t, "keys", f.dump(), before)
	}
	refused(0)
	f.rdb.HSet(t.Context(), counts, "mark", 0)
	for _, want := range []bool{true, false} {
		accepted, err := push(0)
		if accepted != want || err != nil {
			t.Errorf("append with a mark: accepted %t, error %v", accepted, err)
		}
	}
	f.rdb.HDel(t.Context(), counts, "mark")
	refused(0)
	refused(1)
}

func TestAppendRefuses(t *testing.T) {
	b := backends.OpenMiniredis(t)
	f := open(t, b, queue.Options{})
	some := [][]byte{[]byte("a")}
	for name, call := range map[string]func() (bool, error){
		"no load": func() (bool, error) {
			return f.Append(t.Context(), queue.Batch{Load: "", Number: 0, Elements: some, TTL: 0})
		},
		"negative number": func() (bool, error) {
			return f.Append(t.Context(), queue.Batch{Load: "l", Number: -1, Elements: some, TTL: 0})
		},
		"huge number": func() (bool, error) {
			return f.Append(t.Context(), queue.Batch{Load: "l", Number: 1 << 24, Elements: some, TTL: 0})
		},
		"no elements": func() (bool, error) {
			return f.Append(t.Context(), queue.Batch{Load: "l", Number: 0, Elements: nil, TTL: 0})
		},
		"negative expiry": func() (bool, error) {
			return f.Append(t.Context(), queue.Batch{Load: "l", Number: 0, Elements: some, TTL: -1})
		},
	} {
		if accepted, err := call(); err == nil || accepted {
			t.Errorf("%s: accepted %t, error %v", name, accepted, err)
		}
	}
	wantEqual(t, "keys", b.Redis.DBSize(t.Context()).Val(), 0)
}

// A load replaces what is missing first. It keeps what was seen meanwhile.
func TestAppendReplacesWhatIsMissing(t *testing.T) {
	f := onMini(t, queue.Options{})
	field := func(what, name, want string) {
		t.Helper()
		wantEqual(t, what+": "+name, f.rdb.HGet(t.Context(), f.list.Key(keys.SuffixCounts), name).Val(), want)
	}
	f.set("seen", 10, "claimed", 4, "replaces", 5)
	f.append("load", 0, 0, "a", "b", "c")
	field("some of the missing", "replaces", "2")
	field("some of the missing", "seen", "10")
	f.append("load", 1, 0, "d", "e", "f", "g")
	field("the rest and more", "replaces", "0")
	field("the rest and more", "seen", "12")

	// A batch was cut after its push, and others have pushed recipients since.
	f.push("h")
	f.set("append", "2 11 7 13 load", "seen", 20)
	f.append("load", 2, 0, "h")
	field("a batch that was cut", "seen", "20")
}

// The list lives as long as the last batch says, and never shorter than an earlier batch said.
func TestAppendMovesTheGuard(t *testing.T) {
	f := onMini(t, queue.Options{Linger: time.Hour})
	for i, c := range []struct{ ttl, kept time.Duration }{{time.Hour, 2 * time.Hour}, {3 * time.Hour, 4 * time.Hour}, {time.Hour, 4 * time.Hour}} {
		f.append("load", int64(i), c.ttl, "a")
		if off := f.rdb.PTTL(t.Context(), f.list.Plain()).Val() - c.kept; off.Abs() > 5*time.Second {
			t.Errorf("batch %d: the expiry is %s from %s", i, off, c.kept)
		}
	}
}

// A batch was cut before its push, and another producer's elements begin like it. The batch is
// pushed whole.
func TestAppendTakesNothingForItsOwn(t *testing.T) {
	f := onMini(t, queue.Options{})
	f.push("first")
	f.set("append", "0 1 0 3 load")
	f.push("same", "other")
	wantEqual(t, "accepted", f.append("load", 0, 0, "same", "own"), true)
	wantList(t, "list", raws(f.claim(9)), []string{"first", "same", "other", "same", "own"})
}

// A batch is appended once for a user without the permission to run a transaction.
func TestAppendWithoutTransactions(t *testing.T) {
	addr := servers.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	for _, denied := range []string{"multi", "exec"} {
		if err := admin.Do(t.Context(), "ACL", "SETUSER", "poor", "reset", "on", ">secret", "+@all", "-"+denied, "~*").Err(); err != nil {
			t.Fatal(err)
		}
		poor := redis.NewClient(&redis.Options{Addr: addr, Username: "poor", Password: "secret"})
		q, err := queue.New(poor, keys.NewList("without-"+denied), queue.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := q.Append(t.Context(), queue.Batch{Load: "load", Elements: [][]byte{[]byte("a"), []byte("b")}}); err != nil {
				t.Errorf("without %s: %v", denied, err)
			}
		}
		c, err := q.Count(t.Context())
		if err != nil || c.Accepted != 2 || c.Listed != 2 {
			t.Errorf("without %s: %d accepted, %d listed, %v; want 2", denied, c.Accepted, c.Listed, err)
		}
		_ = poor.Close()
	}
}
