package operator

import (
	"context"
	"time"

	"fanfare/internal/campaign"
)

// The histogram of due times has a day of quarter hours, and what comes after it.
const (
	dueStep  = 15 * time.Minute
	dueSteps = 96
)

// DueSlot counts the recipients in the due set who are due from a moment on, until the next slot.
// They wait for their windows, or for a retry.
type DueSlot struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"` // zero: this is the last one
	N     int64     `json:"n"`
}

// readDue returns when the waiting recipients of a running campaign with time rules are due; slots
// without any are left out.
func (o *Operator) readDue(ctx context.Context, v View) ([]DueSlot, error) {
	if v.Books.Retrying == 0 || v.Spec.Rules().IsZero() || v.Spec.State.HasEnded() {
		return nil, nil
	}
	q, err := o.deps.Campaigns.Queue(v.Spec.ID)
	if err != nil {
		return nil, err
	}
	from := o.now().Truncate(dueStep)
	counts, err := q.CountDue(ctx, from, dueStep, dueSteps)
	if err != nil {
		return nil, err
	}
	var slots []DueSlot
	for i, n := range counts {
		slot := DueSlot{From: from.Add(time.Duration(i) * dueStep).UTC(), N: n}
		if i < dueSteps {
			slot.Until = slot.From.Add(dueStep)
		}
		if n > 0 {
			slots = append(slots, slot)
		}
	}
	return slots, nil
}

// waitsForWindows reports whether recipients of a running campaign are in the due set because
// their windows are closed, or in their quiet hours.
func (v View) waitsForWindows() bool {
	return v.Spec.State == campaign.Running && v.Books.WindowWaits > 0 && v.Books.Retrying > 0
}
