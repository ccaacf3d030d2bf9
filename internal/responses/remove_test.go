package responses_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/responses"
	"fanfare/test/backends"
)

// Letters are removed wherever they are by now, after others were removed around them and dropped
// at the head. Letters that are gone are not counted.
func removesLetters(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{MaxLetters: 95})
	all := failed("a", "INTERNAL", 100)
	l.add(all...)
	collect := func(f responses.Filter) (chosen []responses.DeadLetter) {
		for letter, err := range l.List(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			chosen = append(chosen, letter)
		}
		return chosen
	}
	remove := func(want int, letters ...responses.DeadLetter) {
		t.Helper()
		if n, err := l.Remove(t.Context(), letters...); n != want || err != nil {
			t.Errorf("removed %d, want %d; error %v", n, want, err)
		}
	}
	oldest, newest := collect(responses.Filter{}), collect(responses.Filter{Newest: true})
	l.trim()
	remove(2, oldest[30], oldest[80])
	remove(2, oldest[50], oldest[3], newest[9]) // the second was dropped
	remove(0, oldest[50], newest[9])
	remove(20, oldest[40:61]...)

	gone := []int{30, 80, 90}
	var want []string
	for i, id := range idsOf(all) {
		if i >= 5 && (i < 40 || i > 60) && !slices.Contains(gone, i) {
			want = append(want, id)
		}
	}
	wantList(t, "left", l.ids(responses.Filter{}), want)
	if got := l.count(); got.Removed != 24 || got.Dropped != 5 {
		t.Errorf("counts %+v, want 24 removed and 5 dropped", got)
	}
}

// One of two copies stays when the other is removed, so that the books of the list hold. Both have
// one id.
func removesOneOfTwoCopies(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	one := failed("a", "INTERNAL", 1)[0]
	l.add(one, one)
	letter, err := l.Get(t.Context(), one.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range [][]string{{one.ID}, nil} {
		if n, err := l.Remove(t.Context(), letter); n != 1 || err != nil {
			t.Errorf("removed %d, error %v", n, err)
		}
		wantList(t, "left", l.ids(responses.Filter{}), left)
	}

	behind := failed("b", "INTERNAL", 1)[0]
	l.add(one, one, behind)
	for letter, err := range l.List(t.Context(), responses.Filter{}) { // where each was read is not where it is by now
		if err != nil {
			t.Fatal(err)
		}
		if n, err := l.Purge(t.Context(), responses.Filter{Campaign: "b"}); n != 1 || err != nil {
			t.Errorf("purged %d, error %v", n, err)
		}
		if n, err := l.Remove(t.Context(), letter); n != 1 || err != nil {
			t.Errorf("removed %d, error %v", n, err)
		}
		break
	}
	wantList(t, "left after a removal behind", l.ids(responses.Filter{}), []string{one.ID})
}

func purgesLetters(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	a, c := failed("a", "INTERNAL", 300), failed("c", "INTERNAL", 300)
	for i := range a {
		l.add(a[i], c[i])
	}
	if n, err := l.Purge(t.Context(), responses.Filter{Campaign: "a"}); n != 300 || err != nil {
		t.Errorf("purged %d, error %v", n, err)
	}
	wantList(t, "left", l.ids(responses.Filter{}), idsOf(c))
	if n, err := l.Purge(t.Context(), responses.Filter{}); n != 300 || err != nil {
		t.Errorf("purged %d, error %v", n, err)
	}
	if got := l.count(); got.Total != 0 || got.Removed != 600 {
		t.Errorf("counts %+v, want none left and 600 removed", got)
	}
}

func trimsByLength(t *testing.T, b *backends.Backend) {
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

// Letters are an hour old and a second apart. A limit on their age drops the older ones, over
// several pages.
func trimsByAge(t *testing.T, b *backends.Backend) {
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

// Several trimmers at a time drop each letter once, and no young letter.
func trimsOnce(t *testing.T, b *backends.Backend) {
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

// An entry of another program is shown, blocks nothing, and can be purged.
func showsForeignLetters(t *testing.T, b *backends.Backend) {
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
		t.Errorf("dropped %d of unknown age", n)
	}
	if n, err := l.Purge(t.Context(), responses.Filter{Kind: responses.KindResult}); n != 1 || err != nil {
		t.Errorf("purged %d, error %v", n, err)
	}
}

func wrongTypeKeepsLetters(t *testing.T, b *backends.Backend) {
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
