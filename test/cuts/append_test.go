package cuts

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
)

// batch makes n elements and the batch that holds them.
func (a *audience) batch(number int64, n int) queue.Batch {
	b := queue.Batch{Load: "a load", Number: number, TTL: time.Hour}
	for range n {
		element := `{"userId":"b` + string(rune('a'+len(a.all)%26)) + time.Duration(len(a.all)).String() + `"}`
		a.all = append(a.all, element)
		b.Elements = append(b.Elements, []byte(element))
	}
	return b
}

func (a *audience) append(b queue.Batch) error {
	_, err := a.queue.Append(a.t.Context(), b)
	return err
}

// A batch whose script was cut is appended once when it is given again, whatever became of the list
// in between. The script counts what the transaction has pushed, or pushes the batch itself.
func TestAppend(t *testing.T) {
	sound, cutting, k := open(t)
	for name, s := range map[string]struct {
		size    int
		between func(w batchWorld)
	}{
		"at once":        {4, func(batchWorld) {}},
		"several pieces": {5100, func(batchWorld) {}},
		"when all are claimed": {4, func(w batchWorld) {
			w.claim(queue.NewID(), 100)
		}},
		"when some are claimed": {4, func(w batchWorld) {
			w.claim(queue.NewID(), 5)
		}},
		"behind another load": {4, func(w batchWorld) {
			b := w.batch(0, 3)
			b.Load = "another load"
			w.must(w.append(b))
			w.claim(queue.NewID(), 2)
		}},
	} {
		for _, script := range []string{"queue/append_pushed", "queue/append"} {
			t.Run(name, func(t *testing.T) {
				if script == "queue/append" {
					k.discardAll(t)
				}
				each(t, k, script, func(t *testing.T) batchWorld {
					return newBatchWorld(t, sound, cutting, s.size)
				}, func(_ *testing.T, w batchWorld) error { return w.append(w.next) }, func(t *testing.T, w batchWorld) {
					w.t = t
					s.between(w)
					w.must(w.append(w.next))
					w.must(w.append(w.next))
					w.checkAppended(sound)
				})
			})
		}
	}
}

// batchWorld is an audience of three, and the batch to append next.
type batchWorld struct {
	*audience
	next queue.Batch
}

func newBatchWorld(t *testing.T, sound, cutting *redis.Client, size int) batchWorld {
	t.Helper()
	if err := sound.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	a := newAudience(t, sound, cutting, "42", 0)
	a.must(a.append(a.batch(0, 3)))
	return batchWorld{a, a.batch(1, size)}
}

// checkAppended checks that each element is there once and is counted, and that no key stays for
// ever.
func (w batchWorld) checkAppended(sound *redis.Client) {
	w.t.Helper()
	c, err := w.queue.Count(w.t.Context())
	w.must(err)
	if int(c.Accepted) != len(w.all) {
		w.t.Errorf("%d accepted, want %d", c.Accepted, len(w.all))
	}
	for _, key := range []string{w.list.Load("a load"), w.list.Plain()} {
		if ttl := sound.PTTL(w.t.Context(), key).Val(); ttl < 0 && sound.Exists(w.t.Context(), key).Val() > 0 {
			w.t.Errorf("%s lives for ever", key)
		}
	}
	w.drain()
	w.ended(0)
}
