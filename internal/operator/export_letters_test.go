package operator

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// countedWrites counts the writes, each of which is a system call or a frame of a response.
type countedWrites struct {
	bytes.Buffer

	writes int
}

func (w *countedWrites) Write(p []byte) (int, error) {
	w.writes++
	return w.Buffer.Write(p)
}

func manyLetters(n int, last error) iter.Seq2[responses.DeadLetter, error] {
	return func(yield func(responses.DeadLetter, error) bool) {
		for i := range n {
			l := responses.FailedLetter(failedTo(fmt.Sprint("u", i), i), time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
			if !yield(l, nil) {
				return
			}
		}
		if last != nil {
			yield(responses.DeadLetter{}, last)
		}
	}
}

// Rows are written in large pieces, and nothing is written if the first one cannot be read.
func TestExportsWriteLargePieces(t *testing.T) {
	t.Parallel()
	outcomes := func(n int, last error) iter.Seq2[notification.Result, error] {
		return func(yield func(notification.Result, error) bool) {
			for i := range n {
				if !yield(failedTo("u", i), nil) {
					return
				}
			}
			if last != nil {
				yield(notification.Result{}, last)
			}
		}
	}
	gone := errors.New("it is gone")
	for name, write := range map[string]func(w *countedWrites, n int, last error) (int64, error){
		"letters": func(w *countedWrites, n int, last error) (int64, error) {
			done, err := WriteLetters(w, manyLetters(n, last))
			return done.Rows, err
		},
		"outcomes": func(w *countedWrites, n int, last error) (int64, error) {
			done, err := WriteOutcomes(w, audience.CSV, outcomes(n, last))
			return done.Rows, err
		},
	} {
		var whole, cut, none countedWrites
		rows, err := write(&whole, 1000, nil)
		ok(t, err)
		equal(t, name, rows, 1000)
		equal(t, name+": lines", strings.Count(whole.String(), "\n"), 1001)
		if most := whole.Len()/exportBuffer + 2; whole.writes > most {
			t.Errorf("%s: %d writes of %d bytes, want %d at most", name, whole.writes, whole.Len(), most)
		}
		rows, err = write(&cut, 3, gone)
		if !errors.Is(err, gone) || rows != 3 || strings.Count(cut.String(), "\n") != 4 {
			t.Errorf("%s: %d rows and %v of what broke off: %s", name, rows, err, cut.String())
		}
		if _, err = write(&none, 0, gone); !errors.Is(err, gone) || none.Len() > 0 {
			t.Errorf("%s: %v after %q", name, err, none.String())
		}
	}
	_, err := WriteLetters(&failingWriter{left: exportBuffer}, manyLetters(100_000, nil))
	mentions(t, err, "device is full")
}
