package responses_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

var moment = time.Date(2026, 3, 4, 5, 6, 7, 89_999_999, time.FixedZone("Saigon", 7*3600))

// The JSON has the names, the order, the omissions and the time of the contract.
func TestAppendWritesTheContract(t *testing.T) {
	for _, c := range []struct {
		name string
		r    notification.Result
		want string
	}{
		{
			"all fields",
			notification.Result{
				CampaignID: "42", UserID: "u1", Status: notification.StatusFailed, MessageID: "m", ErrorCode: "UNREGISTERED",
				Error: "gone", Attempts: 2, TokenRemoved: true, Token: "tok", At: moment, ResultID: "c:7", Variant: "b", Locale: "pt-BR", Raw: []byte("{]"),
			},
			`{"campaignId":"42","userId":"u1","status":"failed","messageId":"m","errorCode":"UNREGISTERED","error":"gone",` +
				`"attempts":2,"tokenRemoved":true,"fcmToken":"tok","at":"2026-03-03T22:06:07.089Z","resultId":"c:7","variant":"b","locale":"pt-BR","raw":"e10="}`,
		},
		{
			"devices",
			notification.Result{CampaignID: "42", UserID: "u1", Status: notification.StatusSent, At: time.Unix(0, 0), ResultID: "c:7", Devices: []notification.DeviceResult{
				{Address: "aaaaaa…bbbb", Kind: "token", Platform: "ios", Status: notification.StatusFailed, ErrorCode: "UNREGISTERED", Attempts: 2, TokenRemoved: true, Token: "tok"},
				{Address: "cccccc…dddd", Kind: "fid", Status: notification.StatusSent, MessageID: "m", Attempts: 1, Token: "secret"},
			}},
			`{"campaignId":"42","userId":"u1","status":"sent","attempts":0,"at":"1970-01-01T00:00:00.000Z","resultId":"c:7","devices":[` +
				`{"address":"aaaaaa…bbbb","kind":"token","platform":"ios","status":"failed","errorCode":"UNREGISTERED","attempts":2,"tokenRemoved":true,"fcmToken":"tok"},` +
				`{"address":"cccccc…dddd","kind":"fid","status":"sent","messageId":"m","attempts":1}]}`,
		},
		{
			"as little as can be",
			notification.Result{CampaignID: "42", UserID: "u1", Status: notification.StatusSent, At: time.Unix(0, 0), ResultID: "c:7"},
			`{"campaignId":"42","userId":"u1","status":"sent","attempts":0,"at":"1970-01-01T00:00:00.000Z","resultId":"c:7"}`,
		},
		{
			"a token that was not removed",
			notification.Result{CampaignID: "42", Status: notification.StatusSent, Token: "secret", At: time.Unix(0, 0), ResultID: "c:7"},
			`{"campaignId":"42","userId":"","status":"sent","attempts":0,"at":"1970-01-01T00:00:00.000Z","resultId":"c:7"}`,
		},
	} {
		if got := responses.Append(nil, &c.r); string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// shadow lets encoding/json write a result. Only the time needs more than tags.
type shadow struct {
	CampaignID   string              `json:"campaignId"`
	UserID       string              `json:"userId"`
	Status       notification.Status `json:"status"`
	MessageID    string              `json:"messageId,omitempty"`
	ErrorCode    string              `json:"errorCode,omitempty"`
	Error        string              `json:"error,omitempty"`
	Attempts     int                 `json:"attempts"`
	TokenRemoved bool                `json:"tokenRemoved,omitempty"`
	Token        string              `json:"fcmToken,omitempty"`
	At           string              `json:"at"`
	ResultID     string              `json:"resultId"`
	Variant      string              `json:"variant,omitempty"`
	Locale       string              `json:"locale,omitempty"`
	Raw          []byte              `json:"raw,omitempty"`

	Devices []notification.DeviceResult `json:"devices,omitempty"`
}

func viaEncodingJSON(t *rapid.T, r notification.Result) []byte {
	s := shadow{
		r.CampaignID, r.UserID, r.Status, r.MessageID, r.ErrorCode, r.Error, r.Attempts, r.TokenRemoved, r.Token,
		r.At.UTC().Format("2006-01-02T15:04:05.000Z"), r.ResultID, r.Variant, r.Locale, r.Raw, r.Devices,
	}
	if !r.TokenRemoved {
		s.Token = ""
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// texts are strings of any bytes, many of which JSON must escape.
func texts() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z0-9:/_-]{0,24}`),
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 24), func(b []byte) string { return string(b) }),
		rapid.StringOfN(rapid.SampledFrom([]rune("\"\\\b\f\n\r\t\x00\x1f\x7f<>&\u2028\u2029\ufffd😀")), 0, 12, -1),
	)
}

func results() *rapid.Generator[notification.Result] {
	return rapid.Custom(func(t *rapid.T) notification.Result {
		text := texts()
		return notification.Result{
			CampaignID: text.Draw(t, "campaign"), UserID: text.Draw(t, "user"),
			Status:    rapid.SampledFrom(notification.Statuses).Draw(t, "status"),
			MessageID: text.Draw(t, "message"), ErrorCode: text.Draw(t, "code"), Error: text.Draw(t, "error"),
			Attempts:     rapid.IntRange(0, 1_000_000).Draw(t, "attempts"),
			TokenRemoved: rapid.Bool().Draw(t, "removed"), Token: text.Draw(t, "token"),
			At:       time.UnixMicro(rapid.Int64Range(0, 253402300799e6).Draw(t, "at")),
			ResultID: text.Draw(t, "result"), Variant: text.Draw(t, "variant"), Locale: text.Draw(t, "locale"), Raw: rapid.SliceOf(rapid.Byte()).Draw(t, "raw"),
			Devices: devices(t),
		}
	})
}

func devices(t *rapid.T) (all []notification.DeviceResult) {
	text := rapid.StringN(0, 8, -1)
	for range rapid.IntRange(0, 3).Draw(t, "devices") {
		d := notification.DeviceResult{
			Address: text.Draw(t, "address"), Kind: rapid.SampledFrom([]string{"token", "fid"}).Draw(t, "kind"), Platform: text.Draw(t, "platform"),
			Status:    rapid.SampledFrom(notification.Statuses).Draw(t, "device's status"),
			MessageID: text.Draw(t, "device's message"), ErrorCode: text.Draw(t, "device's code"),
			Attempts: rapid.IntRange(0, 100).Draw(t, "device's attempts"), TokenRemoved: rapid.Bool().Draw(t, "device's removed"), Locale: text.Draw(t, "device's locale"),
		}
		if d.TokenRemoved {
			d.Token = text.Draw(t, "device's token")
		}
		all = append(all, d)
	}
	return all
}

func TestAppendAgreesWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := results().Draw(t, "result")
		got, want := responses.Append([]byte("before"), &r), viaEncodingJSON(t, r)
		if string(got) != "before"+string(want) {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}
