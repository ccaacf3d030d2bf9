package campaign

import (
	"context"
	"strconv"
	"time"
)

// Change is what of a spec may be changed while its campaign runs. What is nil stays.
type Change struct {
	OnAmbiguous *OnAmbiguous
	Weight      *int
	Priority    *int
	Rate        *float64   // 0 removes the cap
	Deadline    *time.Time // zero removes it
}

// Change changes a spec in one step, whatever state the campaign is in; dispatchers notice when they next look for
// campaigns. A *SpecError says what cannot be, ErrNotFound that there is no spec; nothing was changed then.
func (c *Campaigns) Change(ctx context.Context, id string, change Change) error {
	return wrap("change", id, c.change(ctx, id, change))
}

func (c *Campaigns) change(ctx context.Context, id string, change Change) error {
	k, err := c.keys(id)
	if err != nil {
		return err
	}
	var args []any
	for _, f := range change.fields() {
		if problem := new(Spec).set(f.name, f.value); problem != "" {
			return &SpecError{ID: id, Field: f.name, Problem: problem}
		}
		args = append(args, f.name, f.value)
	}
	word, _, err := c.run(ctx, changeScript, []string{k.spec}, args...)
	if word == "missing" {
		return ErrNotFound
	}
	return err
}

// changed is a field and its new value, "" where it is to go.
type changed struct{ name, value string }

func (c Change) fields() []changed {
	var all []changed
	if c.OnAmbiguous != nil {
		all = append(all, changed{fieldOnAmbiguous, string(*c.OnAmbiguous)})
	}
	if c.Weight != nil {
		all = append(all, changed{fieldWeight, strconv.Itoa(*c.Weight)})
	}
	if c.Priority != nil {
		all = append(all, changed{fieldPriority, strconv.Itoa(*c.Priority)})
	}
	if c.Rate != nil {
		all = append(all, changed{fieldRate, formatRate(*c.Rate)})
	}
	if c.Deadline != nil {
		all = append(all, changed{fieldDeadline, formatDeadline(*c.Deadline)})
	}
	return all
}
