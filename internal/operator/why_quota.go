package operator

import (
	"fmt"
	"math"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
)

// fullPace is the share of the project's pace from which pushes use all of it.
const fullPace = 0.9

// rampSeconds is how long recipients must take at the present pace for its growth to be a reason.
const rampSeconds = 5

// explainQuota adds that a campaign that moves could go faster with a larger quota, or once the
// pace has grown after a gate.
func (w *why) explainQuota() {
	if w.Pace == nil || w.Pace.Rate <= 0 || w.Books.Waiting == 0 || w.isStopped() || w.Spec.Rate > 0 && w.Spec.Rate < w.Pace.Rate {
		return
	}
	r := Reason{Kind: ReasonQuota, People: w.Books.Waiting, EndsByItself: true}
	switch full := w.Pace.Settings.Rate(); {
	case w.Pace.Rate < fullPace*full:
		if float64(w.Books.Waiting) < rampSeconds*w.Pace.Rate {
			return
		}
		r.Headline, r.Detail = "The pace grows", fmt.Sprintf("%s of %s pushes a second now%s", Decimal(w.Pace.Rate), Decimal(full), untilFull(*w.Pace))
		r.Next = "nothing to do: it grows by itself after a pause or a closed gate"
	case w.countPushes() >= fullPace*full:
		r.Headline, r.Detail = "The quota is used up", "all of its "+Decimal(full)+" pushes a second"
		r.Next = "nothing to do; or, if Google grants the project more: fanfare quota set --per-minute N"
		w.addShare(&r, full)
	default:
		return
	}
	w.add(r)
}

// isStopped reports whether a reason stops the whole campaign.
func (w *why) isStopped() bool {
	for _, r := range w.reasons {
		if r.Stops {
			return true
		}
	}
	return false
}

// untilFull says when the ramp ends if pushes continue; "" if it has no length.
func untilFull(s pacing.State) string {
	left := time.Duration((1 - s.Warm) * float64(s.Settings.Ramp)).Round(time.Second)
	if left <= 0 {
		return ""
	}
	return ", full in " + Span(left)
}

// countPushes is how many pushes a second went of all running campaigns of the project; 0 if that
// is unknown.
func (w *why) countPushes() (rate float64) {
	for _, v := range w.Running {
		if v.Forecast != nil && SharesQuota(v.Spec.Project, w.Spec.Project) {
			rate += v.Forecast.pushes
		}
	}
	return rate
}

// addShare says which share of the quota the campaign gets beside those of its priority.
func (w *why) addShare(r *Reason, full float64) {
	equals := w.findRivals(func(priority int) bool { return priority == w.Spec.Priority })
	if len(equals) == 0 {
		return
	}
	own := max(1, w.Spec.Weight)
	all := own
	for _, v := range equals {
		all += max(1, v.Spec.Weight)
	}
	r.Detail += fmt.Sprintf("; it shares them with %s, and its weight is %d of %d: about %s a second",
		count(int64(len(equals)), "campaign"), own, all, Decimal(math.Round(full*float64(own)/float64(all))))
	r.Next = "nothing to do; or change its share: fanfare campaign set " + campaign.ShellQuote(w.Spec.ID) + " --weight N"
}
