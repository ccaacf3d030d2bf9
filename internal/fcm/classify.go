package fcm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/http2"

	"fanfare/internal/h2client"
	"fanfare/internal/notification"
)

// classify applies FCM's rules to the outcome of one request. Once the request is written, an
// unreadable answer is Ambiguous. A request that was not written never is.
func (x *exchange) classify() Answer {
	switch {
	case x.tokenErr != nil:
		return x.classifyNoToken()
	case x.status == 0:
		return x.classifyNoAnswer()
	case x.status/100 == 2:
		return x.classifySuccess()
	default:
		return x.classifyRefusal()
	}
}

func (x *exchange) classifyNoToken() Answer {
	a := Answer{Class: NotSent, Detail: x.tokenErr.Error()}
	if _, ok := errors.AsType[*CredentialsError](x.tokenErr); ok {
		a.Class = Credentials
	}
	return a
}

func (x *exchange) classifyNoAnswer() Answer {
	switch {
	case !x.written:
		return Answer{Class: NotSent, Detail: x.err.Error()}
	case isUnprocessed(x.err):
		return Answer{Class: NotSent, Detail: "FCM did not process the request: " + x.err.Error()}
	case errors.Is(x.err, context.DeadlineExceeded), errors.Is(x.err, h2client.ErrTimeout):
		return Answer{Class: Ambiguous, Detail: "no answer in time"}
	default:
		return Answer{Class: Ambiguous, Detail: "no answer: " + x.err.Error()}
	}
}

// isUnprocessed reports whether the server says that it did not process the request (RFC 9113,
// section 8.7).
func isUnprocessed(err error) bool {
	var stream http2.StreamError
	if errors.As(err, &stream) {
		return stream.Code == http2.ErrCodeRefusedStream
	}
	// net/http has no type for this error. A test fails if its text changes.
	return strings.Contains(err.Error(), "graceful shutdown GOAWAY")
}

// classifySuccess reads a 2xx answer. One without the name of a message is not FCM's, because a
// proxy, a login page or another service's status also answers 200. It is Ambiguous: a connection
// that breaks within FCM's answer looks the same.
func (x *exchange) classifySuccess() Answer {
	var name string
	err := x.err
	if err == nil {
		name, err = readName(x.body)
	}
	if err == nil && !strings.HasPrefix(name, messageNamePrefix) {
		err = errors.New("it names no message")
	}
	if err != nil {
		return Answer{
			Class: Ambiguous, HTTPStatus: x.status, Foreign: true,
			Detail: fmt.Sprintf("the answer %d is not FCM's (%s): %v", x.status, x.describeBody(), err),
		}
	}
	return Answer{Class: Sent, HTTPStatus: x.status, MessageID: name}
}

// messageNamePrefix begins the name of every message: projects/*/messages/{message_id}, as FCM's
// reference of projects.messages has it.
const messageNamePrefix = "projects/"

// readName returns the name in the answer to an accepted message.
func readName(body []byte) (string, error) {
	if name, ok := readPlainName(body); ok {
		return name, nil
	}
	var answer struct {
		Name string `json:"name"`
	}
	err := json.Unmarshal(body, &answer)
	return answer.Name, err
}

// readPlainName reads {"name": "…"}, the form of nearly all answers, without a parser of JSON. That
// costs a seventh (BenchmarkReadName). ok is false for any other form.
func readPlainName(body []byte) (name string, ok bool) {
	rest := bytes.TrimSpace(body)
	for _, token := range []string{`{`, `"name"`, `:`, `"`} {
		if rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(token)); !ok {
			return "", false
		}
	}
	text, rest, ok := bytes.Cut(rest, []byte(`"`))
	if !ok || string(bytes.TrimLeft(rest, " \t\r\n")) != "}" {
		return "", false
	}
	for _, c := range text {
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			return "", false
		}
	}
	return string(text), true
}

// describeBody says what came in place of FCM's answer. It quotes nothing, because a page may
// repeat the request with its token.
func (x *exchange) describeBody() string {
	kind, _, err := mime.ParseMediaType(x.contentType)
	if err != nil {
		kind = "no known type"
	}
	return fmt.Sprintf("%s, %d bytes", kind, len(x.body))
}

func (x *exchange) classifyRefusal() Answer {
	answer := parseErrorBody(x.body)
	if !answer.isGoogle() && x.status != http.StatusTooManyRequests {
		return x.classifyForeignRefusal()
	}
	a := Answer{HTTPStatus: x.status, Code: answer.code(), Detail: answer.Message}
	if a.Detail == "" {
		a.Detail = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", x.status, http.StatusText(x.status)))
	}
	a.Class = Other
	switch x.status {
	case http.StatusBadRequest:
		a.classifyBadRequest(answer)
	case http.StatusUnauthorized:
		a.Class = x.classifyUnauthorized(answer)
	case http.StatusForbidden:
		a.Class = Credentials
		if answer.fcmCode() == "SENDER_ID_MISMATCH" {
			a.Class = SenderMismatch
		}
	case http.StatusNotFound:
		switch answer.fcmCode() {
		case "UNREGISTERED":
			a.Class = Unregistered
		case "":
			a.Class = NotFound
		}
	case http.StatusRequestEntityTooLarge:
		a.Class, a.Code = TooLarge, notification.CodeTooLarge
	case http.StatusTooManyRequests:
		a.Class, a.Scope = Quota, answer.quotaScope()
	case http.StatusInternalServerError, http.StatusServiceUnavailable:
		a.Class = Unavailable
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		// A gateway without an answer from FCM knows as little as a client after a reset.
		a.Class, a.Code = Ambiguous, ""
	}
	if a.Code == "" && a.Class != Ambiguous {
		a.Code = fmt.Sprintf("HTTP_%d", x.status)
	}
	return a
}

// classifyForeignRefusal handles an answer without Google's error form. Below 500, a proxy refused
// to forward the request. From 500 on, FCM may have the message, as after a reset.
func (x *exchange) classifyForeignRefusal() Answer {
	a := Answer{
		Class: NotFCM, HTTPStatus: x.status, Code: fmt.Sprintf("HTTP_%d", x.status),
		Detail: fmt.Sprintf("HTTP %d %s, not FCM's (%s)", x.status, http.StatusText(x.status), x.describeBody()),
	}
	switch {
	case x.status == http.StatusInternalServerError || x.status == http.StatusServiceUnavailable:
		a.Class = Unavailable
	case x.status >= http.StatusInternalServerError:
		a.Class, a.Code = Ambiguous, ""
	}
	return a
}

// classifyUnauthorized blames our credentials only if FCM refused a new access token, because that
// pauses the whole project.
func (x *exchange) classifyUnauthorized(answer errorBody) Class {
	switch code := answer.fcmCode(); {
	case code == "THIRD_PARTY_AUTH_ERROR" || code == "APNS_AUTH_ERROR":
		return ThirdPartyAuth
	case x.tokenInvalidated:
		return NotSent
	}
	return Credentials
}

// classifyBadRequest separates faults of the message from faults of the target. A 400 without FCM's
// error code stays Other.
func (a *Answer) classifyBadRequest(answer errorBody) {
	if problem, ok := answer.payloadViolation(); ok {
		a.Class, a.Field = BadMessage, problem.Field
		if problem.Description != "" {
			a.Detail = problem.Field + ": " + problem.Description
		}
		return
	}
	if answer.fcmCode() != "INVALID_ARGUMENT" {
		return
	}
	a.Class = BadTarget
	if text := strings.ToLower(answer.Message); strings.Contains(text, "too large") || strings.Contains(text, "too big") {
		a.Class, a.Code = TooLarge, notification.CodeTooLarge // FCM has no code for it
	}
}

// maxRetryAfter is the longest wait that a server may ask for.
const maxRetryAfter = time.Hour

// seconds matches HTTP's delay in seconds. Some proxies add a fraction.
var seconds = regexp.MustCompile(`^\d+(\.\d*)?$`)

// parseRetryAfter reads seconds or an HTTP date. A negative delay, a past date and unreadable text
// return 0, so the caller uses its own delay. A wait above an hour becomes an hour, and capped is
// true.
func parseRetryAfter(value string, now time.Time) (wait time.Duration, capped bool) {
	value = strings.TrimSpace(value)
	if seconds.MatchString(value) {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n > maxRetryAfter.Seconds() {
			return maxRetryAfter, true
		}
		return time.Duration(math.Ceil(n)) * time.Second, false
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	wait = max(0, at.Sub(now))
	return min(wait, maxRetryAfter), wait > maxRetryAfter
}
