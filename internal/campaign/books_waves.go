package campaign

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// CauseWindow is the cause of a recipient's wait for its window. It is no retry.
const CauseWindow = "window"

// NoteBadZone is the note of an ended recipient whose own time zone is unknown to us. The
// campaign's was used.
const NoteBadZone = "bad_zone"

// noteWave begins the notes that count pushes by the window they waited for.
const noteWave = "wave:"

// latenesses are the steps in which the delay of a push after the opening of its window is counted.
var latenesses = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// NoteOfWave returns the note of a recipient that was sent to so long after the opening of the
// window that it waited for.
func NoteOfWave(opens time.Time, late time.Duration) string {
	step := 0
	for step < len(latenesses) && late > latenesses[step] {
		step++
	}
	return noteWave + strconv.FormatInt(opens.Unix(), 10) + ":" + strconv.Itoa(step)
}

// Wave counts the recipients that were sent to after they had waited for a window that opened at
// one moment, in whatever zones.
type Wave struct {
	Opens time.Time `json:"opens"`
	Sent  int64     `json:"sent"`
	// Those that were sent to within so long after it opened. Each figure includes the one before.
	Within1m  int64 `json:"within1m"`
	Within5m  int64 `json:"within5m"`
	Within15m int64 `json:"within15m"`
	Within1h  int64 `json:"within1h"`
}

// wavesOf collects the waves, in the order of time.
func wavesOf(notes map[string]string) []Wave {
	found := make(map[int64]*Wave)
	for name, text := range notes {
		rest, is := strings.CutPrefix(name, "note:"+noteWave)
		at, step, cut := strings.Cut(rest, ":")
		opens, err := strconv.ParseInt(at, 10, 64)
		late, err2 := strconv.Atoi(step)
		if !is || !cut || err != nil || err2 != nil {
			continue
		}
		if found[opens] == nil {
			found[opens] = &Wave{Opens: time.Unix(opens, 0).UTC()}
		}
		found[opens].add(late, parseCount(text))
	}
	var all []Wave
	for _, wave := range found {
		all = append(all, *wave)
	}
	slices.SortFunc(all, func(a, b Wave) int { return a.Opens.Compare(b.Opens) })
	return all
}

func (w *Wave) add(step int, n int64) {
	w.Sent += n
	for i, figure := range []*int64{&w.Within1m, &w.Within5m, &w.Within15m, &w.Within1h} {
		if step <= i {
			*figure += n
		}
	}
}
