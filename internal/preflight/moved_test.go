package preflight

import (
	"context"
	"fmt"
	"testing"

	"fanfare/internal/checks"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// movedApp answers that all registration tokens are dead, and accepts installation IDs.
type movedApp struct{}

func (movedApp) Validate(_ context.Context, _ []byte, to notification.Target) fcm.Answer {
	if to.Kind == notification.TargetToken {
		return fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404}
	}
	return fcm.Answer{Class: fcm.Sent, HTTPStatus: 200}
}

// An app that has moved to installation IDs is no old audience: its users get the message. Tokens
// whose ID is not stored are dead.
func TestMovedTokensAreNoDeadOnes(t *testing.T) {
	for name, stored := range map[string]bool{"moved": true, "dead": false} {
		t.Run(name, func(t *testing.T) {
			s := openStage(t)
			s.options.Validator = movedApp{}
			var elements []string
			for i := range 30 {
				id := fmt.Sprintf("cXyZ0123456789abcd%04d", i)
				elements = append(elements, fmt.Sprintf(`{"userId":"u%d","fcmToken":"%s:token"}`, i, id))
				if stored {
					ok(t, s.rdb.HSet(t.Context(), fmt.Sprintf("user:u%d:devices", i), id, "").Err())
				}
			}
			report := s.preflight(`{"notification":{"title":"Hello"}}`, elements...)
			if stored {
				wantFinding(t, report.Findings, "dead tokens", checks.Good, "30 moved to an installation ID")
				wantFinding(t, report.Findings, "fcm", checks.Good, "accepts 30 of 30")
				return
			}
			wantFinding(t, report.Findings, "dead tokens", checks.Warning, "30 of 30")
		})
	}
}
