package operator

import (
	"time"

	"fanfare/internal/campaign"
)

// Progress is a campaign at one moment, with its pace since the watch began to look.
type Progress struct {
	State campaign.State `json:"state"`
	Books campaign.Books `json:"books"`
	// Rate is recipients ended a second, smoothed over the last half minute or so; zero until it is known.
	Rate float64 `json:"rate"`
	// Left is the time to the end at this rate; zero while it is unknown.
	Left time.Duration `json:"left"`
}

// smoothing is the time in which an old pace loses two thirds of its weight.
const smoothing = 10 * time.Second

// Pace turns books read one after another into a rate and a time to go.
type Pace struct {
	seen  bool
	at    time.Time
	ended int64
	rate  float64
}

// Observe takes the books as they were at a moment.
func (p *Pace) Observe(at time.Time, state campaign.State, books campaign.Books) Progress {
	ended := books.Ended()
	if took := at.Sub(p.at).Seconds(); p.seen && took > 0 {
		now := float64(ended-p.ended) / took
		weight := min(1, took/smoothing.Seconds())
		if p.rate == 0 {
			weight = 1
		}
		p.rate += weight * (now - p.rate)
	}
	p.seen, p.at, p.ended = true, at, ended
	progress := Progress{State: state, Books: books, Rate: p.rate}
	if left := books.Loaded - ended; p.rate > 0 && left > 0 {
		progress.Left = time.Duration(float64(left) / p.rate * float64(time.Second)).Round(time.Second)
	}
	return progress
}
