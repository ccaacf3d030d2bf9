package responses_test

import (
	"slices"
	"testing"

	"fanfare/internal/responses"
)

// Letters go by what they are, wherever they are by then: after others were removed before and behind them, and dropped
// at the head. What is gone already is not counted.
func removesLetters(t *testing.T, b *backend) {
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

// A copy stays when the other goes, so that the books of the list hold; both have one id.
func removesOneOfTwoCopies(t *testing.T, b *backend) {
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

func purgesLetters(t *testing.T, b *backend) {
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
