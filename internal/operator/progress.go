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
	// CancelledBy is who cancelled the campaign.
	CancelledBy string    `json:"cancelledBy,omitempty"`
	FinishedAt  time.Time `json:"finishedAt,omitzero"`
	// Rate is recipients ended a second, smoothed over about ten seconds; zero until it is known.
	Rate float64 `json:"rate"`
	// Left is the remaining time at this rate; zero if unknown.
	Left time.Duration `json:"-"`
	// Shortest and Longest are the remaining time at the fastest and the slowest rate of the last
	// minute; zero if unknown, or if windows decide.
	Shortest, Longest time.Duration `json:"-"`
	// Reasons are why the campaign, or a part of it, does not move.
	Reasons []Reason `json:"why,omitempty"`
	// Written says how many outcomes are in SQL; nil without SQL.
	Written *Written `json:"written,omitempty"`
}

// MarshalJSON writes the remaining time in seconds, and omits it if unknown.
func (p Progress) MarshalJSON() ([]byte, error) {
	type plain Progress
	return json.Marshal(struct {
		plain
		Left     float64 `json:"leftSeconds,omitempty"`
		Shortest float64 `json:"shortestSeconds,omitempty"`
		Longest  float64 `json:"longestSeconds,omitempty"`
	}{plain(p), p.Left.Seconds(), p.Shortest.Round(time.Second).Seconds(), p.Longest.Round(time.Second).Seconds()})
}

// DescribeEnd is DescribeEnd of the campaign.
func (p Progress) DescribeEnd(now time.Time) string {
	return DescribeEnd(campaign.Spec{State: p.State, Reason: p.Reason, CancelledBy: p.CancelledBy, FinishedAt: p.FinishedAt}, now)
}

// forecastAfter is how long a rate is measured before it is used for a forecast.
const forecastAfter = 2 * time.Second

// Pace computes a rate and the remaining time from successive views of a campaign. The zero Pace
// is ready.
type Pace struct{ speed Speed }

// Observe adds the state of the campaign at a moment.
func (p *Pace) Observe(at time.Time, v View) Progress {
	p.speed = p.speed.Observe(at, v.Books.CountEnded())
	rate := p.speed.Now()
	progress := Progress{
		ID: v.Spec.ID, State: v.State(), Books: v.Books, Reason: cmp.Or(v.Problem(), v.Spec.Reason), Rate: rate,
		CancelledBy: v.Spec.CancelledBy, FinishedAt: v.Spec.FinishedAt, Reasons: v.Reasons, Written: v.Written,
	}
	if left := v.Books.CountOpen(); p.speed.movedFor() >= forecastAfter && rate > 0 && left > 0 && v.Spec.State == campaign.Running {
		progress.Left = time.Duration(float64(left) / rate * float64(time.Second)).Round(time.Second)
		if !v.waitsForWindows() {
			progress.Shortest, progress.Longest, _ = p.speed.Band(left)
		}
	}
	if n := len(v.Due); n > 0 { // the last ones who wait for their windows come later than the rate says
		last := cmp.Or(v.Due[n-1].Until, v.Due[n-1].From)
		progress.Left = max(progress.Left, last.Sub(at).Round(time.Second))
	}
	return progress
}
