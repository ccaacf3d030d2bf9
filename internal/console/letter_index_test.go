package console

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/responses"
)

// listedLetters is a list of letters, the oldest first. It counts how many were read.
type listedLetters struct {
	Letters

	all  []responses.DeadLetter
	gaps int // places of removed letters, which are counted and not listed
	read int
}

func (l *listedLetters) Len(context.Context) (int64, error) { return int64(len(l.all) + l.gaps), nil }

func (l *listedLetters) Dropped(context.Context) (int64, error) { return 0, nil }

func (l *listedLetters) List(_ context.Context, f responses.Filter) iter.Seq2[responses.DeadLetter, error] {
	return func(yield func(responses.DeadLetter, error) bool) {
		all := slices.Clone(l.all)
		if f.Newest {
			slices.Reverse(all)
		}
		for _, each := range all {
			if l.read++; f.Matches(&each) && !yield(each, nil) {
				return
			}
		}
	}
}

// Whatever is added, dropped and removed, the index has the letters of the list, the newest first.
func TestIndexFollowsTheList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list, index, n := &listedLetters{gaps: rapid.IntRange(0, 2).Draw(t, "gaps")}, &letterIndex{}, 0
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			for range rapid.IntRange(0, 4).Draw(t, "added") {
				list.all = append(list.all, responses.FailedLetter(failed(fmt.Sprint("u", n), "UNREGISTERED"), now))
				n++
			}
			list.all = list.all[min(len(list.all), rapid.IntRange(0, 2).Draw(t, "dropped")):]
			if len(list.all) > 0 && rapid.Bool().Draw(t, "removes") {
				at := rapid.IntRange(0, len(list.all)-1).Draw(t, "at")
				list.all = slices.Delete(slices.Clone(list.all), at, at+1)
			}
			if _, all, err := index.sums(t.Context(), list, now.Add(time.Duration(step)*lettersAge)); err != nil || all.total != int64(len(list.all)) {
				t.Fatalf("%d letters of %d: %v", all.total, len(list.all), err)
			}
			for i, each := range list.all {
				if got := index.all[len(index.all)-1-i].id; got != each.ID {
					t.Fatalf("letter %d is %s, want %s", i, got, each.ID)
				}
			}
		}
	})
}

// A removal that was cut in half does not change the list's length. It is seen within a minute.
func TestIndexSeesACutRemoval(t *testing.T) {
	t.Parallel()
	list, index := &listedLetters{}, &letterIndex{}
	for i := range 3 {
		list.all = append(list.all, responses.FailedLetter(failed(fmt.Sprint("u", i), "UNREGISTERED"), now))
	}
	for step, want := range []int64{3, 2} {
		if _, n, err := index.find(t.Context(), list, responses.Filter{}, now.Add(time.Duration(step)*wholeAge)); err != nil || n != want {
			t.Errorf("%d letters, want %d: %v", n, want, err)
		}
		list.all, list.gaps = slices.Delete(list.all, 1, 2), 1
	}
}

// Letters that came or were dropped do not make the index read all again.
func TestIndexReadsWhatIsNew(t *testing.T) {
	t.Parallel()
	list, index := &listedLetters{}, &letterIndex{}
	for i := range 1000 {
		list.all = append(list.all, responses.FailedLetter(failed(fmt.Sprint("u", i), "UNREGISTERED"), now))
	}
	at := now
	ask := func() int {
		list.read, at = 0, at.Add(lettersAge)
		if _, _, err := index.find(t.Context(), list, responses.Filter{User: "u1"}, at); err != nil {
			t.Fatal(err)
		}
		return list.read
	}
	ask()
	list.all = append(list.all[2:], responses.FailedLetter(failed("new", "UNREGISTERED"), now))
	if read := ask(); read > 5 {
		t.Errorf("one more letter made it read %d", read)
	}
}
