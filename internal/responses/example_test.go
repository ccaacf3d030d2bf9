package responses_test

import (
	"fmt"
	"strings"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// A failed recipient has a result in the list of responses, and a dead letter.
func ExampleAppend() {
	r := notification.Result{
		CampaignID: "42", UserID: "7", Status: notification.StatusFailed, ErrorCode: "UNREGISTERED", Error: "token is gone",
		Attempts: 1, At: time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC), ResultID: "c:1",
	}
	element := responses.Append(nil, &r)
	fmt.Println(strings.ReplaceAll(string(element), `,"`, ",\n\""))

	decoded, err := responses.Decode(element)
	letter := responses.FailedLetter(decoded, r.At)
	fmt.Println(letter.ID, letter.Kind, letter.Code(), letter.Reason, err)
	// Output:
	// {"campaignId":"42",
	// "userId":"7",
	// "status":"failed",
	// "errorCode":"UNREGISTERED",
	// "error":"token is gone",
	// "attempts":1,
	// "at":"2026-01-31T10:00:00.000Z",
	// "resultId":"c:1"}
	// c:1 recipient UNREGISTERED token is gone <nil>
}
