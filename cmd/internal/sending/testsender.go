package sending

import (
	"context"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// TestSender sends tests through FCM.
type TestSender struct{ Sender *fcm.Sender }

// Send implements operator.TestSender.
func (s TestSender) Send(ctx context.Context, body []byte, target notification.Target) operator.TestAnswer {
	return testAnswer(s.Sender.Send(ctx, body, target))
}

// Validate implements operator.TestSender.
func (s TestSender) Validate(ctx context.Context, body []byte, target notification.Target) operator.TestAnswer {
	return testAnswer(s.Sender.Validate(ctx, body, target))
}

func testAnswer(a fcm.Answer) operator.TestAnswer {
	return operator.TestAnswer{
		Accepted: a.Class == fcm.Sent, Unrequested: a.Unrequested, MessageID: a.MessageID, Code: a.Code, Detail: a.Detail,
		OverQuota: a.Class == fcm.Quota && a.Scope == fcm.QuotaProject, RetryAfter: a.RetryAfter,
	}
}
