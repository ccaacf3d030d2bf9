package responses_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// Decode reads back what Append wrote, down to the milliseconds.
func TestDecodeReadsWhatAppendWrote(t *testing.T) {
	whole := func(r notification.Result) bool {
		// A separator keeps the broken ends of two texts from making a whole character.
		ids := strings.Join([]string{r.CampaignID, r.UserID, r.ResultID}, "|")
		texts := strings.Join([]string{ids, r.MessageID, r.ErrorCode, r.Error, r.Token, r.Variant, r.Locale}, "|")
		return r.CampaignID != "" && r.ResultID != "" && !strings.Contains(ids, "\x00") && utf8.ValidString(texts)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := results().Filter(whole).Draw(t, "result")
		got, err := responses.Decode(responses.Append(nil, &want))
		if want.At = want.At.UTC().Truncate(time.Millisecond); want.At.IsZero() {
			return
		}
		if !want.TokenRemoved {
			want.Token = ""
		}
		if len(want.Raw) == 0 {
			want.Raw = nil
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("error %v\n got %+v\nwant %+v", err, got, want)
		}
	})
}

func TestDecodeReadsOtherWriters(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range []struct{ name, raw string }{
		{"white space and unknown fields", "\n{ \"campaignId\" : \"42\", \"extra\": {\"status\": [1]}, \"userId\": \"7\",\n" +
			`"status": "sent", "at": "2026-03-04T05:06:07Z", "resultId": "x" }` + "\n"},
		{"ids as numbers", `{"campaignId":42,"userId":7,"status":"sent","at":"2026-03-04T05:06:07.000Z","resultId":"x"}`},
		{"another time zone", `{"campaignId":"42","userId":"7","status":"sent","at":"2026-03-04T12:06:07+07:00","resultId":"x"}`},
		{"escapes", `{"campaignId":"\u0034\u0032","userId":"7","status":"sent","at":"2026-03-04T05:06:07Z","resultId":"x"}`},
		{"nulls", `{"campaignId":"42","userId":"7","status":"sent","error":null,"at":"2026-03-04T05:06:07Z","resultId":"x"}`},
		{"the last of two counts", `{"campaignId":"1","campaignId":"42","userId":"7","status":"sent","at":"2026-03-04T05:06:07Z","resultId":"x"}`},
		{"a token that was not removed", `{"campaignId":"42","userId":"7","status":"sent","fcmToken":"t","at":"2026-03-04T05:06:07Z","resultId":"x"}`},
	} {
		want := notification.Result{CampaignID: "42", UserID: "7", Status: notification.StatusSent, At: at, ResultID: "x"}
		if got, err := responses.Decode([]byte(c.raw)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: error %v\n got %+v\nwant %+v", c.name, err, got, want)
		}
	}
}

func TestDecodeReadsDevices(t *testing.T) {
	r, err := responses.Decode([]byte(`{"campaignId":"1","userId":"7","status":"sent","at":"2026-03-04T05:06:07Z","devices":[
		{"address":"a…b","kind":"fid","platform":"ios","status":"sent","messageId":"m","attempts":-1,"fcmToken":"kept","later":1},
		{"address":"c…d","kind":"token","status":"failed","errorCode":"UNREGISTERED","attempts":2,"tokenRemoved":true,"fcmToken":"dead"}]}`))
	want := []notification.DeviceResult{
		{Address: "a…b", Kind: "fid", Platform: "ios", Status: notification.StatusSent, MessageID: "m"},
		{Address: "c…d", Kind: "token", Status: notification.StatusFailed, ErrorCode: "UNREGISTERED", Attempts: 2, TokenRemoved: true, Token: "dead"},
	}
	if err != nil || !reflect.DeepEqual(r.Devices, want) {
		t.Errorf("error %v\n got %+v\nwant %+v", err, r.Devices, want)
	}
}

func TestDecodeKeepsAllDigitsOfAnID(t *testing.T) {
	r, err := responses.Decode([]byte(`{"campaignId":"1","userId":90071992547409931,"status":"sent","at":"2026-03-04T05:06:07Z"}`))
	if err != nil || r.UserID != "90071992547409931" {
		t.Errorf("user %q, error %v", r.UserID, err)
	}
}

// A result without an id gets the same one as its copies, and another one than all others.
func TestDecodeDerivesAMissingID(t *testing.T) {
	id := func(user string) string {
		r, err := responses.Decode([]byte(`{"campaignId":"1","userId":"` + user + `","status":"sent","at":"2026-03-04T05:06:07Z"}`))
		if err != nil || r.ResultID == "" {
			t.Fatalf("id %q, error %v", r.ResultID, err)
		}
		return r.ResultID
	}
	if a, copied, b := id("a"), id("a"), id("b"); a != copied || a == b {
		t.Errorf("ids %q, %q of its copy, %q of another", a, copied, b)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ raw, problem string }{
		{``, "unexpected end"},
		{`{}`, "campaignId is missing"},
		{`[]`, "array"},
		{`null`, "campaignId is missing"},
		{`{"campaignId":"","userId":"7","status":"sent","at":"2026-03-04T05:06:07Z"}`, "campaignId is missing"},
		{`{"campaignId":"1","userId":"7","status":"delivered","at":"2026-03-04T05:06:07Z"}`, `status "delivered"`},
		{`{"campaignId":"1","userId":"7","at":"2026-03-04T05:06:07Z"}`, `status ""`},
		{`{"campaignId":"1","userId":"7","status":"sent"}`, "at is missing"},
		{`{"campaignId":"1","userId":"7","status":"sent","at":"yesterday"}`, `at "yesterday"`},
		{`{"campaignId":"1","userId":"a\u0000b","status":"sent","at":"2026-03-04T05:06:07Z"}`, "userId holds a NUL"},
		{`{"campaignId":"1","userId":[7],"status":"sent","at":"2026-03-04T05:06:07Z"}`, "array"},
		{`{"campaignId":"1","userId":"7","status":"sent","attempts":"1","at":"2026-03-04T05:06:07Z"}`, "attempts"},
		{`{"campaignId":"1","userId":"7","status":"sent","at":"2026-03-04T05:06:07Z"} x`, "invalid character"},
		{`{"campaignId":"1","userId":"7","status":"sent","at":"2026-03-04T05:06:07Z","devices":{}}`, "devices"},
		{`{"campaignId":"1","userId":"7","status":"sent","at":"2026-03-04T05:06:07Z","devices":[{"status":"sent"},{"address":"a…"}]}`, `devices[1].status ""`},
		{"{\"campaignId\":\"1\",\"userId\":\"\xff\",\"status\":\"sent\",\"at\":\"2026-03-04T05:06:07Z\"}", "UTF-8"},
	} {
		_, err := responses.Decode([]byte(c.raw))
		var bad *responses.MalformedError
		if !errors.As(err, &bad) || !strings.Contains(bad.Problem, c.problem) {
			t.Errorf("%s: error %v, want one that says %q", c.raw, err, c.problem)
		}
	}
}
