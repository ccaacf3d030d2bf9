package operator

import (
	"context"
	"time"

	"fanfare/internal/campaign"
)

// View is a campaign as a person looks at it.
type View struct {
	Spec  campaign.Spec  `json:"spec"`
	Books campaign.Books `json:"books"`
}

// Show reads a campaign's spec and its books.
func (o *Operator) Show(ctx context.Context, id string) (View, error) {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err != nil {
		return View{}, err
	}
	books, err := o.deps.Campaigns.Books(ctx, id)
	if err != nil {
		return View{}, err
	}
	return View{Spec: spec, Books: books}, nil
}

// Watch reads a campaign's progress at once and then every interval, until it has ended or seen returns false.
func (o *Operator) Watch(ctx context.Context, id string, every time.Duration, seen func(Progress) bool) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var pace Pace
	for {
		view, err := o.Show(ctx, id)
		if err != nil {
			return err
		}
		if !seen(pace.Observe(o.now(), view.Spec.State, view.Books)) || view.Spec.State.Ended() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
