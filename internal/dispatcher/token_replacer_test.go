package dispatcher

import (
	"slices"
	"testing"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

const installation = "c1a2b3c4d5e6f7a8b9c0d1"

// Only a token that FCM no longer knows may have moved to its installation ID. A refusal for
// another reason deletes nothing without the budget.
func TestRefusedTokenHasNoSuccessor(t *testing.T) {
	dead, fid := notification.ParseToken(installation+":APA91b"), notification.ParseFID(installation)
	dl := &delivery{device: &deviceDelivery{others: []notification.Device{{Target: fid}}}}
	for class, want := range map[fcm.Class]notification.Target{fcm.Unregistered: fid, fcm.BadTarget: {}} {
		found, err := (&tokenReplacer{}).findSuccessor(t.Context(), dl, dead, fcm.Answer{Class: class})
		if err != nil || found != want {
			t.Errorf("%s: successor %v, %v; want %v", class, found, err, want)
		}
	}
}

// A token and its installation ID are one device.
func TestTokenAndInstallationIDShareAKey(t *testing.T) {
	token, fid := addressKeys(notification.ParseToken(installation+":APA91b")), addressKeys(notification.ParseFID(installation))
	if !slices.ContainsFunc(token, func(key string) bool { return slices.Contains(fid, key) }) {
		t.Errorf("keys %v of the token, %v of its installation ID; want a common one", token, fid)
	}
}
