package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
	"fanfare/internal/redisx"
)

// maxBody bounds a JSON body in bytes. A message has at most 4 KiB for FCM.
const maxBody = 1 << 20

// answer is a whole response.
type answer struct {
	status int
	kind   string // Content-Type
	body   []byte
}

func newAnswer(status int, kind string, body any) answer {
	text, err := json.Marshal(body)
	if err != nil { // none of our types fails
		return answer{http.StatusInternalServerError, "text/plain", []byte(err.Error())}
	}
	return answer{status, kind, append(text, '\n')}
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// problem is an error as RFC 9457 has it. Faults lists all that is wrong with a message.
type problem struct {
	Status int      `json:"status"`
	Title  string   `json:"title"`
	Detail string   `json:"detail,omitempty"`
	Faults []string `json:"faults,omitempty"`
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func (p *problem) answer() answer { return newAnswer(p.Status, "application/problem+json", p) }

func writeProblem(w http.ResponseWriter, p *problem) { p.answer().write(w) }

// badRequest is the answer to a request that can never succeed as it is.
func badRequest(format string, args ...any) *problem {
	return &problem{Status: http.StatusUnprocessableEntity, Title: "The request cannot be used", Detail: fmt.Sprintf(format, args...)}
}

// explain classifies an error. What is not the caller's fault is a 503, which may be repeated.
func (a *API) explain(err error) *problem {
	if own, ok := errors.AsType[*problem](err); ok {
		return own
	}
	p := &problem{Detail: redact.Text(err.Error())}
	switch {
	case errors.Is(err, campaign.ErrNotFound):
		p.Status, p.Title = http.StatusNotFound, "No such campaign"
	case isConflict(err):
		p.Status, p.Title = http.StatusConflict, "The campaign's state does not allow this"
	case isInput(err):
		p.Status, p.Title = http.StatusUnprocessableEntity, "The request cannot be used"
		for _, fault := range notification.FaultsOf(err) {
			p.Faults = append(p.Faults, redact.Text(fault.Error()))
		}
	case errors.Is(err, operator.ErrNoDatabase):
		p.Status, p.Title = http.StatusNotImplemented, "Outcomes are not recorded"
	case errors.Is(err, context.Canceled):
		p.Status, p.Title = http.StatusRequestTimeout, "The caller went away"
	case isMistyped(err):
		p.Status, p.Title = http.StatusInternalServerError, "A key in Redis has another type"
		a.deps.Logger.Error("API request failed", "error", p.Detail)
	default:
		p.Status, p.Title = http.StatusServiceUnavailable, "Redis, SQL or FCM has no answer; repeat the request"
		a.deps.Logger.Error("API request failed", "error", p.Detail)
	}
	return p
}

// isMistyped reports whether a key stops this until someone renames or deletes it.
func isMistyped(err error) bool {
	_, mistyped := errors.AsType[*redisx.TypeError](err)
	return mistyped
}

// isConflict reports whether a campaign is in a state in which this cannot be done.
func isConflict(err error) bool {
	_, transition := errors.AsType[*campaign.TransitionError](err)
	_, incomplete := errors.AsType[*operator.IncompleteError](err)
	_, passed := errors.AsType[*operator.PassedError](err)
	_, unfit := errors.AsType[*operator.UnfitError](err)
	_, busy := errors.AsType[*campaign.BusyError](err)
	return transition || incomplete || unfit || busy || passed || errors.Is(err, campaign.ErrExists) || errors.Is(err, campaign.ErrAudienceExists) ||
		errors.Is(err, campaign.ErrOtherAudience) || errors.Is(err, campaign.ErrDeleted)
}

// isInput reports whether the caller sent something that cannot be used.
func isInput(err error) bool {
	_, id := errors.AsType[*keys.IDError](err)
	_, spec := errors.AsType[*campaign.SpecError](err)
	_, file := errors.AsType[*audience.FileError](err)
	_, filter := errors.AsType[*operator.FilterError](err)
	return id || spec || file || filter || errors.Is(err, operator.ErrNoRecipient) || len(notification.FaultsOf(err)) > 0
}

// bodyProblem classifies an error from reading a body of at most maxBody bytes.
func bodyProblem(err error) *problem {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &problem{Status: http.StatusRequestEntityTooLarge, Title: "The body is too large", Detail: fmt.Sprintf("It may have %d bytes.", maxBody)}
	}
	return badRequest("body: %s", describeJSON(err))
}

// describeJSON says what is wrong with a body, without the names of Go's types.
func describeJSON(err error) string {
	mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the JSON is cut off"
	case !ok:
		return strings.TrimPrefix(err.Error(), "json: ")
	case mistyped.Field == "":
		return fmt.Sprintf("it is a JSON %s, want an object", mistyped.Value)
	}
	return fmt.Sprintf("%s is a JSON %s, want %s", mistyped.Field, mistyped.Value, wordOf(mistyped.Type.Kind()))
}

// wordOf names the kind of JSON that a field of a Go kind is read from.
func wordOf(kind reflect.Kind) string {
	switch kind {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}

// readJSON reads the body. A field that does not exist is an error. An empty body leaves all fields
// as they are.
func readJSON(r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	switch err := decoder.Decode(into); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return bodyProblem(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("body: there is more than one JSON value")
	}
	return nil
}
