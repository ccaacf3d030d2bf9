package dispatcher

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
)

// deadExcept answers that every token is dead but those with a word.
func deadExcept(word string) func(context.Context, string) fcm.Answer {
	return func(ctx context.Context, token string) fcm.Answer {
		if word != "" && strings.Contains(token, word) {
			return accepted(ctx, token)
		}
		return unregistered
	}
}

// Two of three devices of each user are dead. All users get the message, so nothing is wrong with
// the audience, and the breaker lets it pass.
func TestDeadDevicesOfReachedUsersTripNothing(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	var elements []string
	for i := range 200 {
		user := fmt.Sprintf("u%d", i)
		elements = append(elements, devicesOf(user, user+"-old", user+"-phone", user+"-older"))
	}
	w.campaign(campaign.Spec{ID: "42"}, elements...)
	w.sender.answer = deadExcept("phone")
	w.drain("42")
	if b := w.books("42"); b.Sent != 200 || w.stateOf("42") == campaign.Paused {
		t.Errorf("books %+v, campaign %s; want all sent", b, w.stateOf("42"))
	}
	if w.sender.total() != 600 {
		t.Errorf("%d pushes, want three to each user", w.sender.total())
	}
}

// All devices of all users are dead, or the only address is: such an audience stops at the canary,
// whose users count once each.
func TestUsersWithoutALiveDeviceTrip(t *testing.T) {
	for name, tokens := range map[string][]string{"several devices": {"-a", "-b", "-c"}, "one": {"-a"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.useBreakers()
			var elements []string
			for i := range 200 {
				user := fmt.Sprintf("u%d", i)
				own := make([]string, len(tokens))
				for j, token := range tokens {
					own[j] = user + token
				}
				elements = append(elements, devicesOf(user, own...))
			}
			w.campaign(campaign.Spec{ID: "42"}, elements...)
			w.sender.answer = deadExcept("")
			stop := w.serve(w.dispatcher())
			w.eventually(func() bool { return w.stateOf("42") == campaign.Paused && w.books("42").InFlight == 0 })
			stop()
			if b := w.books("42"); b.Failed != canary || b.Waiting != 200-canary || !b.IsBalanced() {
				t.Errorf("books %+v, want the canary of %d users failed and the others waiting", b, canary)
			}
		})
	}
}
