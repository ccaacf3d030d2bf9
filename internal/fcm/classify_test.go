package fcm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/net/http2"
	"pgregory.net/rapid"
)

const (
	fcmErrorType = `"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError"`
	badReqType   = `"@type":"type.googleapis.com/google.rpc.BadRequest"`
	quotaType    = `"@type":"type.googleapis.com/google.rpc.QuotaFailure"`
)

// errorJSON returns Google's error body with these details.
func errorJSON(status string, details ...string) string {
	return fmt.Sprintf(`{"error":{"code":1,"message":"Said so.","status":%q,"details":[%s]}}`, status, strings.Join(details, ","))
}

func fcmCode(code string) string { return fmt.Sprintf(`{%s,"errorCode":%q}`, fcmErrorType, code) }

func badField(field string) string {
	return fmt.Sprintf(`{%s,"fieldViolations":[{"field":%q,"description":"is wrong"}]}`, badReqType, field)
}

func overQuota(subjects ...string) string {
	var list []string
	for _, s := range subjects {
		list = append(list, fmt.Sprintf(`{"subject":%q,"description":"Message rate exceeded"}`, s))
	}
	return fmt.Sprintf(`{%s,"violations":[%s]}`, quotaType, strings.Join(list, ","))
}

// One case for each of FCM's rules.
func TestClassifyAnswers(t *testing.T) {
	invalid := fcmCode("INVALID_ARGUMENT")
	for name, c := range map[string]struct {
		status int
		body   string
		class  Class
		code   string
	}{
		"200":                         {200, `{"name":"projects/p/messages/1"}`, Sent, ""},
		"200, no JSON":                {200, `<html>`, Ambiguous, ""},
		"200, empty":                  {200, ``, Ambiguous, ""},
		"200, nameless":               {200, `{}`, Ambiguous, ""},
		"200, another's name":         {200, `{"name":"api-gateway"}`, Ambiguous, ""},
		"204":                         {204, ``, Ambiguous, ""},
		"payload violation":           {400, errorJSON("INVALID_ARGUMENT", badField("message.android.ttl"), invalid), BadMessage, "INVALID_ARGUMENT"},
		"payload violation, alone":    {400, errorJSON("INVALID_ARGUMENT", badField("message.data[0].value")), BadMessage, "INVALID_ARGUMENT"},
		"violation on the message":    {400, errorJSON("INVALID_ARGUMENT", badField("message")), BadMessage, "INVALID_ARGUMENT"},
		"violation on the token":      {400, errorJSON("INVALID_ARGUMENT", badField("message.token"), invalid), BadTarget, "INVALID_ARGUMENT"},
		"violation on nothing":        {400, errorJSON("INVALID_ARGUMENT", badField(""), invalid), BadTarget, "INVALID_ARGUMENT"},
		"invalid, nothing said":       {400, errorJSON("INVALID_ARGUMENT", invalid), BadTarget, "INVALID_ARGUMENT"},
		"invalid, not by FCM":         {400, errorJSON("INVALID_ARGUMENT"), Other, "INVALID_ARGUMENT"},
		"400 as HTML":                 {400, `<html>`, NotFCM, "HTTP_400"},
		"third party":                 {401, errorJSON("UNAUTHENTICATED", fcmCode("THIRD_PARTY_AUTH_ERROR")), ThirdPartyAuth, "THIRD_PARTY_AUTH_ERROR"},
		"third party, the old word":   {401, errorJSON("UNAUTHENTICATED", fcmCode("APNS_AUTH_ERROR")), ThirdPartyAuth, "APNS_AUTH_ERROR"},
		"unauthenticated":             {401, errorJSON("UNAUTHENTICATED"), Credentials, "UNAUTHENTICATED"},
		"401 as HTML":                 {401, `<html>`, NotFCM, "HTTP_401"},
		"403 as HTML":                 {403, `<html>`, NotFCM, "HTTP_403"},
		"403 as another's JSON":       {403, `{"error":"forbidden","message":"x"}`, NotFCM, "HTTP_403"},
		"403 with no status":          {403, `{"error":{"code":403,"message":"No."}}`, NotFCM, "HTTP_403"},
		"404 with no status":          {404, `{"error":{"code":404,"message":"No."}}`, NotFCM, "HTTP_404"},
		"permission denied":           {403, errorJSON("PERMISSION_DENIED"), Credentials, "PERMISSION_DENIED"},
		"sender mismatch":             {403, errorJSON("PERMISSION_DENIED", fcmCode("SENDER_ID_MISMATCH")), SenderMismatch, "SENDER_ID_MISMATCH"},
		"unregistered":                {404, errorJSON("NOT_FOUND", fcmCode("UNREGISTERED")), Unregistered, "UNREGISTERED"},
		"unregistered, second detail": {404, errorJSON("NOT_FOUND", `{"@type":"x"}`, fcmCode("UNREGISTERED")), Unregistered, "UNREGISTERED"},
		"not found":                   {404, errorJSON("NOT_FOUND"), NotFound, "NOT_FOUND"},
		"not found as HTML":           {404, `<html>UNREGISTERED`, NotFCM, "HTTP_404"},
		"not found, cut short":        {404, errorJSON("NOT_FOUND", fcmCode("UNREGISTERED"))[:150], NotFCM, "HTTP_404"},
		"not found, another type":     {404, errorJSON("NOT_FOUND", `{"@type":"x","errorCode":"UNREGISTERED"}`), NotFound, "NOT_FOUND"},
		"not found, another word":     {404, errorJSON("NOT_FOUND", fcmCode("NEW_WORD")), Other, "NEW_WORD"},
		"unregistered, not as a 404":  {400, errorJSON("INVALID_ARGUMENT", fcmCode("UNREGISTERED")), Other, "UNREGISTERED"},
		"too large":                   {413, errorJSON("INVALID_ARGUMENT"), TooLarge, "MESSAGE_TOO_LARGE"},
		"413 as HTML":                 {413, `<html>`, NotFCM, "HTTP_413"},
		"quota":                       {429, errorJSON("RESOURCE_EXHAUSTED", fcmCode("QUOTA_EXCEEDED")), Quota, "QUOTA_EXCEEDED"},
		"quota as HTML":               {429, `<html>`, Quota, "HTTP_429"},
		"internal":                    {500, errorJSON("INTERNAL", fcmCode("INTERNAL")), Unavailable, "INTERNAL"},
		"unavailable":                 {503, errorJSON("UNAVAILABLE", fcmCode("UNAVAILABLE")), Unavailable, "UNAVAILABLE"},
		"unavailable as HTML":         {503, `<html>`, Unavailable, "HTTP_503"},
		"bad gateway":                 {502, `<html>`, Ambiguous, ""},
		"gateway timeout":             {504, errorJSON("DEADLINE_EXCEEDED"), Ambiguous, ""},
		"a code of its own making":    {403, `{"error":{"code":403,"message":"m","status":"REQ\u0000-8f14e45f"}}`, NotFCM, "HTTP_403"},
		"a detail's own making":       {404, errorJSON("NOT_FOUND", fcmCode("req-1")), Other, "NOT_FOUND"},
		"a code without end":          {418, strings.Replace(errorJSON(strings.Repeat("A", 65)), `"code":1`, `"code":418`, 1), NotFCM, "HTTP_418"},
		"a long code":                 {418, errorJSON(strings.Repeat("A", 64)), Other, strings.Repeat("A", 64)},
		"a teapot":                    {418, errorJSON("TEAPOT"), Other, "TEAPOT"},
		"not implemented":             {501, errorJSON("UNIMPLEMENTED"), Other, "UNIMPLEMENTED"},
		"a gateway's own status":      {520, ``, Ambiguous, ""},
		"a redirect":                  {307, ``, NotFCM, "HTTP_307"},
	} {
		x := &exchange{started: true, written: true, status: c.status, body: []byte(c.body)}
		a := x.classify()
		if a.Class != c.class || a.Code != c.code || a.HTTPStatus != c.status {
			t.Errorf("%s: got %s %q (%d), want %s %q", name, a.Class, a.Code, a.HTTPStatus, c.class, c.code)
		}
		if a.Class != Sent && a.Detail == "" {
			t.Errorf("%s: no detail", name)
		}
	}
}

// A success that is not FCM's means that the endpoint is not FCM. It differs from a missing answer.
func TestForeignSuccess(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   bool
	}{
		"200":             {200, `{"name":"projects/p/messages/1"}`, false},
		"200, a service":  {200, `{"name":"api-gateway","status":"up"}`, true},
		"200, unreadable": {200, `<html>`, true},
		"202":             {202, ``, true},
		"204":             {204, ``, true},
		"bad gateway":     {502, `<html>`, false},
		"unavailable":     {503, ``, false},
		"no answer":       {0, ``, false},
	} {
		x := &exchange{started: true, written: true, status: c.status, body: []byte(c.body)}
		if c.status == 0 {
			x.err = errors.New("connection reset by peer")
		}
		if a := x.classify(); a.Foreign != c.want {
			t.Errorf("%s: %s, foreign: %t", name, a.Class, a.Foreign)
		}
	}
}

// A 401 for an old access token does not mean that the credentials are refused, which would pause
// the project.
func TestClassifyOutdatedAccessToken(t *testing.T) {
	for body, want := range map[string]Class{
		errorJSON("UNAUTHENTICATED"):                                    NotSent,
		errorJSON("UNAUTHENTICATED", fcmCode("THIRD_PARTY_AUTH_ERROR")): ThirdPartyAuth,
	} {
		if a := (&exchange{written: true, tokenInvalidated: true, status: 401, body: []byte(body)}).classify(); a.Class != want {
			t.Errorf("%s: got %s, want %s", body, a.Class, want)
		}
	}
}

func TestClassifyTooLarge(t *testing.T) {
	body := strings.Replace(errorJSON("INVALID_ARGUMENT", fcmCode("INVALID_ARGUMENT")), "Said so.", "Android message is too big", 1)
	a := (&exchange{written: true, status: 400, body: []byte(body)}).classify()
	if a.Class != TooLarge || a.Code != "MESSAGE_TOO_LARGE" {
		t.Errorf("got %+v", a)
	}
}

func TestPayloadViolationNamesItsField(t *testing.T) {
	body := errorJSON("INVALID_ARGUMENT", badField("message.token"), badField("message.android.ttl"))
	a := (&exchange{written: true, status: 400, body: []byte(body)}).classify()
	if a.Class != BadMessage || a.Field != "message.android.ttl" || a.Detail != "message.android.ttl: is wrong" {
		t.Errorf("got %+v", a)
	}
}

func TestQuotaScope(t *testing.T) {
	for name, c := range map[string]struct {
		detail string
		want   QuotaScope
	}{
		"nothing said":          {fcmCode("QUOTA_EXCEEDED"), QuotaProject},
		"the project":           {overQuota("project:demo"), QuotaProject},
		"a device":              {overQuota("device:0123"), QuotaDevice},
		"a topic":               {overQuota("topic:project-news"), QuotaTopic},
		"a device, by its text": {strings.Replace(overQuota(""), "Message", "Device message", 1), QuotaDevice},
		"a topic, by its text":  {strings.Replace(overQuota(""), "Message", "Topic message", 1), QuotaTopic},
		"something else":        {overQuota("galaxy"), QuotaProject},
		"project and device":    {overQuota("project:demo", "device:0123"), QuotaProject},
		"device and topic":      {overQuota("device:0123", "topic:news"), QuotaProject},
		"device and project":    {overQuota("device:0123", "project:demo"), QuotaProject},
		"two of a kind":         {overQuota("device:0123", "device:4567"), QuotaDevice},
	} {
		a := (&exchange{written: true, status: 429, body: []byte(errorJSON("RESOURCE_EXHAUSTED", c.detail))}).classify()
		if a.Class != Quota || a.Scope != c.want {
			t.Errorf("%s: got %s, scope %d, want %d", name, a.Class, a.Scope, c.want)
		}
	}
}

func TestClassifyNoAnswer(t *testing.T) {
	broken := errors.New("connection reset by peer")
	for name, c := range map[string]struct {
		x    exchange
		want Class
	}{
		"not written":              {exchange{err: broken}, NotSent},
		"not written in time":      {exchange{err: context.DeadlineExceeded}, NotSent},
		"written, then reset":      {exchange{written: true, err: broken}, Ambiguous},
		"written, then cut off":    {exchange{written: true, err: context.Canceled}, Ambiguous},
		"written, no answer":       {exchange{written: true, err: context.DeadlineExceeded}, Ambiguous},
		"refused stream":           {exchange{written: true, err: fmt.Errorf("x: %w", http2.StreamError{Code: http2.ErrCodeRefusedStream})}, NotSent},
		"reset stream":             {exchange{written: true, err: http2.StreamError{Code: http2.ErrCodeInternal}}, Ambiguous},
		"credentials refused":      {exchange{tokenErr: &CredentialsError{"key.json", broken}}, Credentials},
		"token endpoint broken":    {exchange{tokenErr: broken}, NotSent},
		"answer cut short":         {exchange{written: true, status: 200, body: []byte(`{"name":"a"}`), err: broken}, Ambiguous},
		"refusal cut short":        {exchange{written: true, status: 404, body: []byte(`{"error":`), err: broken}, NotFCM},
		"unavailability cut short": {exchange{written: true, status: 503, err: broken}, Unavailable},
	} {
		a := c.x.classify()
		if a.Class != c.want || a.Detail == "" {
			t.Errorf("%s: got %s (%s), want %s", name, a.Class, a.Detail, c.want)
		}
		if name == "written, no answer" && a.Detail != "no answer in time" {
			t.Errorf("%s: told as %s", name, a.Detail)
		}
		if refused := name == "refusal cut short"; a.IsDecisive() || refused && a.HTTPStatus != http.StatusNotFound {
			t.Errorf("%s: counts as FCM's answer", name)
		}
	}
	if a := (&exchange{written: true, status: 403, body: []byte(errorJSON("PERMISSION_DENIED"))}).classify(); a.Class != Credentials || !a.IsDecisive() {
		t.Errorf("FCM's refusal of our credentials: %s, answered %t", a.Class, a.IsDecisive())
	}
}

// An answer is read completely, unless it is longer than any of FCM's.
func TestLongAnswers(t *testing.T) {
	for length, long := range map[int]bool{maxAnswer: false, maxAnswer + 1: true, 2 * maxAnswer: true} {
		x := new(exchange)
		x.receive(&http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", length)))}, nil)
		if got := errors.Is(x.err, errAnswerTooLong); got != long || len(x.body) > maxAnswer+1 {
			t.Errorf("%d bytes: too long %t (%v), %d read", length, got, x.err, len(x.body))
		}
	}
}

// Only FCM's clear answer makes a message sent or a token dead, whatever else the body contains and
// wherever it is cut.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"name":"projects/p/messages/1"}`, `{"name":1}`, ``, `<html>`, `{"error":"x"}`, `[{"error":{}}]`, `{"error":{"details":[1,null,{}]}}`,
		errorJSON("NOT_FOUND", fcmCode("UNREGISTERED")), errorJSON("INVALID_ARGUMENT", badField("message.x")), errorJSON("X", overQuota("device:1")),
		`{"error":{"details":{"@type":"x"}}}`, strings.Repeat("[", 20_000), strings.Repeat("x", maxAnswer+10),
	} {
		for _, status := range []int{200, 400, 404, 429, 503} {
			f.Add(status, []byte(body), -1)
			f.Add(status, []byte(body), len(body)/2)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, cut int) {
		if status < 100 || status > 999 {
			t.Skip()
		}
		reader := io.Reader(strings.NewReader(string(body)))
		if cut >= 0 && cut < len(body) {
			reader = io.MultiReader(strings.NewReader(string(body[:cut])), iotest.ErrReader(io.ErrUnexpectedEOF))
		}
		x := &exchange{started: true, written: true}
		x.receive(&http.Response{StatusCode: status, Body: io.NopCloser(reader)}, nil)
		if len(x.body) > maxAnswer+1 {
			t.Errorf("%d bytes read", len(x.body))
		}
		a := x.classify()
		switch {
		case a.Class < Sent || a.Class > NotFCM || a.Class == NotSent:
			t.Errorf("class %s for an answer", a.Class)
		case a.Class == Sent && (status/100 != 2 || a.MessageID == "" || x.err != nil):
			t.Errorf("sent by %d %q, %v", status, body, x.err)
		case a.Class == Unregistered && (status != 404 || !strings.Contains(string(x.body), "google.firebase.fcm.v1.FcmError")):
			t.Errorf("unregistered by %d %q", status, body)
		}
	})
}

// The short way to read an answer comes to the same as a parser of JSON, whatever the answer is.
func TestReadName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{`{`, `}`, `"name"`, `"`, `:`, `,`, ` `, "\n", `a/b`, `\u0061`, `\`, "\x01", "é", "\xff", `"x":1`, `null`})
		text := strings.Join(rapid.SliceOf(part).Draw(t, "answer"), "")
		if rapid.Bool().Draw(t, "usual") {
			text = `{ "name" : "` + text + `" }`
		}
		var want struct {
			Name string `json:"name"`
		}
		wantErr := json.Unmarshal([]byte(text), &want)
		got, err := readName([]byte(text))
		if (err != nil) != (wantErr != nil) || err == nil && got != want.Name {
			t.Errorf("%q is read as %q, %v; want %q, %v", text, got, err, want.Name, wantErr)
		}
	})
}
