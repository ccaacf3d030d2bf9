package operator

import (
	"cmp"
	"encoding/json"
	"time"

	"fanfare/internal/campaign"
)

// Progress is a campaign at one moment, with its pace since the watch began.
type Progress struct {
	ID    string         `json:"id"`
	State campaign.State `json:"state"` // as View.State; "" without a spec
	Books campaign.Books `json:"books"`
	// Reason says why the campaign is paused, cancelled, expired or broken.
	Reason string `json:"reason,omitempty"`
	// Rate is recipients ended a second, smoothed over about ten seconds; zero until it is known.
	Rate float64 `json:"rate"`
	// Left is the remaining time at this rate; zero if unknown.
	Left time.Duration `json:"-"`
	// Held says what stops the campaign: the campaign itself, or its project if the caller knows
	// its pace. See WhyHeld.
	Held *Held `json:"held,omitempty"`
	// KeptBack are the paused platforms, with the reasons.
	KeptBack map[string]string `json:"keptBack,omitempty"`
	// Losses are recipients that are missing or were not loaded.
	Losses []campaign.Loss `json:"losses,omitempty"`
}

// MarshalJSON writes the remaining time in seconds, and omits it if unknown.
func (p Progress) MarshalJSON() ([]byte, error) {
	type plain Progress
	return json.Marshal(struct {
		plain
		Left float64 `json:"leftSeconds,omitempty"`
	}{plain(p), p.Left.Seconds()})
}

const (
	// smoothing is the time constant of the rate: an older rate loses two thirds of its weight in
	// it.
	smoothing = 10 * time.Second
	// forecastAfter is how long a rate is measured before it is used for a forecast.
	forecastAfter = 2 * time.Second
)

// Pace computes a rate and the remaining time from successive views of a campaign. The zero Pace
// is ready.
type Pace struct {
	at    time.Time
	ended int64
	began time.Time // when the first recipient ended
	rate  float64
}

// Observe adds the state of the campaign at a moment.
func (p *Pace) Observe(at time.Time, v View) Progress {
	ended := v.Books.Ended()
	switch took := at.Sub(p.at).Seconds(); {
	case p.at.IsZero():
	case p.began.IsZero() && ended == p.ended: // no one has ended since the first view: there is no rate yet
	case took > 0:
		if p.began.IsZero() {
			p.began = p.at
		}
		// The mean of everything seen, until that time is longer than the smoothing.
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
