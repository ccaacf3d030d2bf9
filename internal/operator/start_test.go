package operator

import (
	"testing"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// A campaign that a breaker has paused is resumed with a canary and with all platforms, and shows both.
func TestStartBeginsWithACanary(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	ok(t, o.Create(ctx, campaign.Spec{ID: "42", Message: notification.Message(`{"notification":{"title":"Hello"}}`)}))
	ok(t, o.Start(ctx, "42", ""))
	list, err := o.deps.Names.Campaign("42")
	ok(t, err)
	admitted, err := o.deps.Breakers.Admit(ctx, list, "claim", 10)
	ok(t, err)
	equal(t, "admitted", admitted.N, 10)
	ok(t, o.deps.Breakers.PausePlatform(ctx, list, "ios", "APNs refuses the key"))

	view, err := o.Show(ctx, "42")
	ok(t, err)
	equal(t, "on the way", view.Breaker.Canary.Outstanding, 10)
	equal(t, "reason", view.Breaker.Paused["ios"], "APNs refuses the key")

	ok(t, o.Start(ctx, "42", "the key is renewed"))
	view, err = o.Show(ctx, "42")
	ok(t, err)
	equal(t, "state", view.Spec.State, campaign.Running)
	equal(t, "paused platforms", len(view.Breaker.Paused), 0)
	equal(t, "canary", view.Breaker.Canary, breaker.Canary{Size: 100})
}
