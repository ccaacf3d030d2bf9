package cuts

import (
	"testing"
	"time"

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
// in between.
func TestAppend(t *testing.T) {
	sound, cutting, k := open(t)
	type world struct {
		*audience
		next queue.Batch
	}
	for name, s := range map[string]struct {
		size    int
		between func(w world)
	}{
		"at once":        {4, func(world) {}},
		"several pieces": {5100, func(world) {}},
		"when all are claimed": {4, func(w world) {
			w.claim(queue.NewClaimID(), 100)
		}},
		"when some are claimed": {4, func(w world) {
			w.claim(queue.NewClaimID(), 5)
		}},
		"behind another load": {4, func(w world) {
			b := w.batch(0, 3)
			b.Load = "another load"
			w.must(w.append(b))
			w.claim(queue.NewClaimID(), 2)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, k, "queue/append", func(t *testing.T) world {
				if err := sound.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				a := newAudience(t, sound, cutting, "42", 0)
				a.must(a.append(a.batch(0, 3)))
				return world{a, a.batch(1, s.size)}
			}, func(_ *testing.T, w world) error { return w.append(w.next) }, func(t *testing.T, w world) {
				w.t = t
				s.between(w)
				w.must(w.append(w.next))
				w.must(w.append(w.next))
				c, err := w.queue.Count(t.Context())
				w.must(err)
				if int(c.Accepted) != len(w.all) {
					t.Errorf("%d accepted, want %d", c.Accepted, len(w.all))
				}
				for _, key := range []string{w.list.Load("a load"), w.list.Plain()} {
					if ttl := sound.PTTL(t.Context(), key).Val(); ttl < 0 && sound.Exists(t.Context(), key).Val() > 0 {
						t.Errorf("%s lives for ever", key)
					}
				}
				w.drain()
				w.ended(0)
			})
		})
	}
}
