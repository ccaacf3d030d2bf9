package operator

import (
	"cmp"
	"encoding/json"
	"time"

	"fanfare/internal/campaign"
)

// Progress is a campaign at one moment, with its pace since the watch began to look.
type Progress struct {
	ID    string         `json:"id"`
	State campaign.State `json:"state"` // as View.State; "" while the recipients wait for a message
	Books campaign.Books `json:"books"`
	// Reason is why it is paused, cancelled, expired or broken.
	Reason string `json:"reason,omitempty"`
	// Rate is recipients ended a second, smoothed over the last ten seconds or so; zero until it is known.
	Rate float64 `json:"rate"`
	// Left is the time to the end at this rate; zero while it is unknown.
	Left time.Duration `json:"-"`
	// Held is what keeps it back: of the campaign itself, or of its project where the caller knows its pace; see WhyHeld.
	Held *Held `json:"held,omitempty"`
	// KeptBack are the platforms whose recipients do not take part, with the reasons.
	KeptBack map[string]string `json:"keptBack,omitempty"`
	// Losses are the recipients that are missing, or were not loaded to the last.
	Losses []campaign.Loss `json:"losses,omitempty"`
}

// MarshalJSON writes the time to go in seconds, and leaves it out while it is unknown.
func (p Progress) MarshalJSON() ([]byte, error) {
	type plain Progress
	return json.Marshal(struct {
		plain
		Left float64 `json:"leftSeconds,omitempty"`
	}{plain(p), p.Left.Seconds()})
}

const (
	// smoothing is the time in which an old pace loses two thirds of its weight.
	smoothing = 10 * time.Second
	// forecastAfter is how long a pace is looked at before it is good for a forecast.
	forecastAfter = 2 * time.Second
)

// Pace turns views of a campaign, taken one after another, into a rate and a time to go. The zero Pace is ready.
type Pace struct {
	at    time.Time
	ended int64
	began time.Time // when somebody began to end
	rate  float64
}

// Observe takes the campaign as it was at a moment.
func (p *Pace) Observe(at time.Time, v View) Progress {
	ended := v.Books.Ended()
	switch took := at.Sub(p.at).Seconds(); {
	case p.at.IsZero():
	case p.began.IsZero() && ended == p.ended: // nobody has ended since we look: there is no pace yet
	case took > 0:
		if p.began.IsZero() {
			p.began = p.at
		}
		// The mean of all that was seen, until that is longer than the smoothing.
		weight := min(1, max(took/smoothing.Seconds(), took/at.Sub(p.began).Seconds()))
		p.rate += weight * (float64(ended-p.ended)/took - p.rate)
	}
	p.at, p.ended = at, ended
	progress := Progress{
		ID: v.Spec.ID, State: v.State(), Books: v.Books, Reason: cmp.Or(v.Problem(), v.Spec.Reason), Rate: p.rate, KeptBack: v.Breaker.Paused,
		Held: v.Held, Losses: v.Losses(),
	}
	known := !p.began.IsZero() && at.Sub(p.began) >= forecastAfter
	if left := v.Books.Open(); known && p.rate > 0 && left > 0 && v.Spec.State == campaign.Running {
		progress.Left = time.Duration(float64(left) / p.rate * float64(time.Second)).Round(time.Second)
	}
	return progress
}
