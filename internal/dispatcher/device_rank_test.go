package dispatcher

import (
	"context"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// What stands for a user beside a dead device is the other device, however that ended.
func TestDeadDeviceFailsNoUser(t *testing.T) {
	state := func(status notification.Status, code string) deviceState {
		return deviceState{DeviceResult: notification.DeviceResult{Status: status, ErrorCode: code}}
	}
	ascending := []deviceState{
		state("", ""),
		state(notification.StatusSkipped, notification.CodeNoToken),
		state(notification.StatusFailed, "UNREGISTERED"),
		state(notification.StatusExpired, notification.CodeDeadline),
		state(notification.StatusSkipped, notification.CodeDuplicate),
		state(notification.StatusFailed, "THIRD_PARTY_AUTH_ERROR"),
		state(notification.StatusUnknown, notification.CodeOutcomeUnknown),
		state(notification.StatusSent, ""),
	}
	for i := range ascending[1:] {
		for _, states := range [][]deviceState{{ascending[i], ascending[i+1]}, {ascending[i+1], ascending[i]}} {
			if best := (&deviceGroup{states: states}).best(); best.Status != ascending[i+1].Status || best.ErrorCode != ascending[i+1].ErrorCode {
				t.Errorf("%s %s stands for the user, want %s %s", best.Status, best.ErrorCode, ascending[i+1].Status, ascending[i+1].ErrorCode)
			}
		}
	}
	for code, removed := range map[string]bool{"INVALID_TOKEN": false, "SENDER_ID_MISMATCH": false, "INVALID_ARGUMENT": true} {
		dead := state(notification.StatusFailed, code)
		dead.TokenRemoved = removed
		g := &deviceGroup{states: []deviceState{dead, state(notification.StatusExpired, notification.CodeDeadline)}}
		if best := g.best(); best.Status != notification.StatusExpired {
			t.Errorf("a device that failed with %s fails its user", code)
		}
	}
}

// A user with a dead device and one that may have the message is unknown. So a campaign that only
// reports such users never sends to the device again, not even in a replay.
func TestUserWithAnUnknownDeviceIsNotSentToAgain(t *testing.T) {
	for _, rule := range []campaign.Dedupe{campaign.DedupeAddress, campaign.DedupeUser} {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t)
			w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report, Dedupe: rule}, devicesOf("u1", "dead-1", "maybe-1"))
			w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
				if token == "maybe-1" {
					return fcm.Answer{Class: fcm.Ambiguous, Detail: "reset"}
				}
				return refuseDead(ctx, token)
			}
			w.drain("42")
			w.wantOutcomes(map[string]int{"unknown OUTCOME_UNKNOWN": 1})
			if _, err := w.redis.RPush("campaign:42", devicesOf("u1", "maybe-1")); err != nil {
				t.Fatal(err)
			}
			w.drain("42")
			w.checkRequests(map[string]int{"dead-1": 1, "maybe-1": 1})
		})
	}
}

// The phone of a user gets the message from another element. The old tablet beside it is dead.
func TestDeadDeviceBesideADuplicate(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 1, 1
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","fcmToken":"phone"}`, devicesOf("u2", "dead-2", "phone"))
	w.sender.answer = refuseDead
	w.drain("42")
	w.wantOutcomes(map[string]int{"sent": 1, "skipped DUPLICATE": 1})
}
