package responses_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/responses"
)

func trimsByLength(t *testing.T, b *backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{MaxLetters: 200})
	all := failed("a", "INTERNAL", 500)
	l.add(all...)
	for _, want := range []int{300, 0} {
		if n := l.trim(); n != want {
			t.Errorf("dropped %d, want %d", n, want)
		}
	}
	wantList(t, "left", l.ids(responses.Filter{}), idsOf(all[300:]))
	if got := l.count().Dropped; got != 300 {
		t.Errorf("%d counted as dropped, want 300", got)
	}
}

// Letters are an hour old and a second apart: a bound on their age drops those before it, over several pages.
func trimsByAge(t *testing.T, b *backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{MaxAge: time.Hour - 10*time.Minute})
	all := failed("a", "INTERNAL", 300)
	young := failed("young", "INTERNAL", 2)
	for i := range young {
		young[i].At = time.Now()
	}
	l.add(all...)
	l.add(young...)
	if n := l.trim(); n != 300 {
		t.Errorf("dropped %d, want 300", n)
	}
	wantList(t, "left", l.ids(responses.Filter{}), idsOf(young))
}

// Of several trimmers at a time each letter falls to one, and the young ones to none.
func trimsOnce(t *testing.T, b *backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{MaxAge: time.Minute})
	young := failed("young", "INTERNAL", 100)
	for i := range young {
		young[i].At = time.Now()
	}
	l.add(append(failed("a", "INTERNAL", 700), young...)...)
	var running sync.WaitGroup
	dropped := make([]int, 4)
	for i := range dropped {
		running.Go(func() { dropped[i], _ = l.Trim(t.Context()) })
	}
	running.Wait()
	rest := l.trim()
	for _, n := range dropped {
		rest += n
	}
	if got := l.count().Dropped; rest != 700 || got != 700 {
		t.Errorf("dropped %d and counted %d, want 700", rest, got)
	}
	wantList(t, "left", l.ids(responses.Filter{}), idsOf(young))
}

// What another program put there is shown, does not stand in the way, and can be purged.
func showsForeignLetters(t *testing.T, b *backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{MaxAge: time.Minute})
	push(t, l.rdb, l.key(), "not a letter")
	l.add(failed("a", "INTERNAL", 1)...)
	for letter, err := range l.List(t.Context(), responses.Filter{Kind: responses.KindResult}) {
		if err != nil || string(letter.Raw) != "not a letter" || !strings.Contains(letter.Reason, "dead letter") {
			t.Errorf("letter %+v, error %v", letter, err)
		}
	}
	if n := l.trim(); n != 2 {
		t.Errorf("dropped %d, want both", n)
	}
	push(t, l.rdb, l.key(), "not a letter")
	if n := l.trim(); n != 0 {
		t.Errorf("dropped %d of which nobody knows the age", n)
	}
	if n, err := l.Purge(t.Context(), responses.Filter{Kind: responses.KindResult}); n != 1 || err != nil {
		t.Errorf("purged %d, error %v", n, err)
	}
}

func wrongTypeKeepsLetters(t *testing.T, b *backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	l.rdb.Set(t.Context(), l.key(), "a string", 0)
	_, err := l.Trim(t.Context())
	wantWrongType(t, err, l.key())
	_, err = l.Purge(t.Context(), responses.Filter{})
	wantWrongType(t, err, l.key())
	_, err = l.Get(t.Context(), "x")
	wantWrongType(t, err, l.key())
}

func TestNewDeadLettersRefuses(t *testing.T) {
	for _, o := range []responses.DeadLetterOptions{{MaxLetters: -1}, {MaxAge: time.Millisecond}} {
		if _, err := responses.NewDeadLetters(nil, keys.Default(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
