package console

import (
	"time"

	"fanfare/internal/operator"
)

// workView is a work as a page shows it.
type workView struct {
	ID, Title, Who, Text string
	Tone, Icon           string
	Bar                  bar
	HasBar               bool
	StopLabel            string // "" if it has ended
	Problem, Advice      string
	Notes                []string
}

func (w *work) view(now time.Time) workView {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := workView{ID: w.id, Title: w.title, Who: w.who, Text: w.outcome, Problem: w.problem, Notes: w.notes}
	switch w.phase {
	case phaseWaiting:
		v.Tone, v.Icon, v.StopLabel = "is-held", "i-held", "Undo"
		v.Text = "Begins in " + span(w.begins.Sub(now)) + ". Nothing has changed yet."
	case phaseRunning:
		v.Tone, v.Icon, v.StopLabel, v.HasBar = "is-running", "i-running", "Stop", w.all+w.whole > 0
		v.Text = w.progressText(now)
		v.Bar = barTo("f-flight", v.Text, w.done, w.all)
		if w.whole > 0 {
			v.Bar = barTo("f-flight", v.Text, w.part, w.whole)
		}
	case phaseDone:
		v.Tone, v.Icon = "is-completed", "i-completed"
	case phaseUndone, phaseStopped:
		v.Tone, v.Icon, v.Advice = "is-cancelled", "i-cancelled", w.advice
	case phaseFailed:
		v.Tone, v.Icon, v.Advice = "is-broken", "i-broken", w.advice
	}
	return v
}

// workPoint is how much of a work was done at a moment.
type workPoint struct {
	at   time.Time
	done int64
}

// progressText is done of all, the rate and the time to go.
func (w *work) progressText(now time.Time) string {
	text := plural(w.done, w.ofOne, w.of)
	switch {
	case w.all > 0:
		text = operator.Thousands(w.done) + " of " + plural(w.all, w.ofOne, w.of)
	case w.whole > 0:
		text += ", " + share(w.part, w.whole) + " of the file"
	}
	first := workPoint{w.began, 0}
	if len(w.progress) > 0 {
		first = w.progress[0]
	}
	perSecond := float64(w.done-first.done) / max(now.Sub(first.at).Seconds(), 1e-3)
	if perSecond <= 0 {
		return text
	}
	text += ", " + rate(perSecond) + " /s"
	if left := w.left(); left > 0 {
		took := time.Duration(left / perSecond * float64(time.Second))
		text += ", " + about(took, took) + " to go"
	}
	return text
}

// left estimates how many are not done; 0 if that is unknown. Of a file it assumes that lines are
// as long as those that were read.
func (w *work) left() float64 {
	if w.whole > 0 && w.part > 0 {
		return float64(w.done) * float64(w.whole-w.part) / float64(w.part)
	}
	return float64(max(0, w.all-w.done))
}
