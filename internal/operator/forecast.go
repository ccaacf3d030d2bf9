package operator

import (
	"context"
	"encoding/json"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/traffic"
)

// forecastSlots is how many slots of the traffic record a forecast uses: those of the last minute.
const forecastSlots = 6

// Forecast is a running campaign's rate and remaining time. It is an estimate: it counts FCM's
// answers that end a recipient, and not those who end without a push.
type Forecast struct {
	Rate float64 // recipients a second in the last twenty seconds
	// Shortest and Longest are the remaining time at the fastest and the slowest rate of the last
	// minute; zero if unknown.
	Shortest, Longest time.Duration

	pushes float64 // a second, whatever FCM answered
}

// MarshalJSON writes the remaining time in seconds, and omits it if unknown.
func (f Forecast) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Rate     float64 `json:"rate"`
		Shortest float64 `json:"shortestSeconds,omitempty"`
		Longest  float64 `json:"longestSeconds,omitempty"`
	}{f.Rate, f.Shortest.Round(time.Second).Seconds(), f.Longest.Round(time.Second).Seconds()})
}

// Forecast sets the forecasts of the running campaigns among the views from what all dispatchers
// recorded. One look is enough. It never fails: what cannot be read is unknown.
func (o *Operator) Forecast(ctx context.Context, views ...*View) {
	if o.deps.Traffic == nil {
		return
	}
	var running []*View
	var lists []keys.List
	for _, v := range views {
		if v.Err == nil && v.Spec.State == campaign.Running {
			if list, err := o.deps.Names.Campaign(v.Spec.ID); err == nil {
				running, lists = append(running, v), append(lists, list)
			}
		}
	}
	all, err := o.deps.Traffic.Recent(ctx, lists, forecastSlots)
	if err != nil {
		return
	}
	for i, v := range running {
		v.Forecast = forecast(all[i].Slots, v.Books.CountOpen())
		if v.Forecast != nil && v.waitsForWindows() { // the windows decide, and not the rate
			v.Forecast.Shortest, v.Forecast.Longest = 0, 0
		}
	}
}

// pointersTo returns where each view is.
func pointersTo(views []View) []*View {
	all := make([]*View, len(views))
	for i := range views {
		all[i] = &views[i]
	}
	return all
}

// forecast estimates from slots when so many will have ended; nil if nothing moved in them.
func forecast(slots []traffic.Slot, left int64) *Forecast {
	slots = wholeSlots(slots)
	if len(slots) == 0 {
		return nil
	}
	speed, pushes := Speed{}.Observe(slots[0].At, 0), Speed{}.Observe(slots[0].At, 0)
	ended, pushed := int64(0), int64(0)
	for _, slot := range slots {
		pushed += slot.Answers
		pushes = pushes.Observe(slot.At.Add(slot.Took), pushed)
		ended += max(0, slot.Answers-slot.Limited-slot.Unavailable)
		speed = speed.Observe(slot.At.Add(slot.Took), ended)
	}
	f := Forecast{Rate: speed.Now(), pushes: pushes.Now()}
	if f.Rate == 0 {
		return nil
	}
	f.Shortest, f.Longest, _ = speed.Band(left)
	return &f
}

// wholeSlots leaves out what was before the campaign sent, and the slot in which it began.
func wholeSlots(slots []traffic.Slot) []traffic.Slot {
	for i := range slots {
		if slots[i].Answers > 0 {
			if i > 0 {
				return slots[i+1:]
			}
			return slots
		}
	}
	return nil
}
