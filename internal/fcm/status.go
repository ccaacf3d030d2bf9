package fcm

import (
	"encoding/json"
	"regexp"
	"strings"
)

// status is Google's error body: google.rpc.Status.
type errorBody struct {
	Code    int           `json:"code"`
	Message string        `json:"message"`
	Status  string        `json:"status"`
	Details []errorDetail `json:"details"`
}

// detail is FcmError, BadRequest, QuotaFailure, or of another type, whose fields stay empty.
type errorDetail struct {
	Type            string           `json:"@type"`
	ErrorCode       string           `json:"errorCode"`
	FieldViolations []fieldViolation `json:"fieldViolations"`
	Violations      []quotaViolation `json:"violations"`
}

type fieldViolation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

type quotaViolation struct {
	Subject     string `json:"subject"`
	Description string `json:"description"`
}

const (
	typeFCMError     = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
	typeBadRequest   = "type.googleapis.com/google.rpc.BadRequest"
	typeQuotaFailure = "type.googleapis.com/google.rpc.QuotaFailure"
)

// readStatus takes what can be read. A body that is no JSON, such as a front end's page, says nothing.
func parseErrorBody(body []byte) errorBody {
	var answer struct {
		Error errorBody `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil && !json.Valid(body) {
		return errorBody{}
	}
	return answer.Error
}

// googles reports whether the body has Google's error form. The page of a proxy or of a login has not.
func (s errorBody) isGoogle() bool {
	return codePattern.MatchString(s.Status) || s.fcmCode() != "" || s.Code >= 400 && s.Message != ""
}

// fcmCode is FCM's own word, which stands in a detail; empty where the answer is not FCM's.
func (s errorBody) fcmCode() string {
	for _, d := range s.Details {
		if d.Type == typeFCMError {
			return d.ErrorCode
		}
	}
	return ""
}

// word is what a code of Google's looks like. A code becomes a metric's label, a field of the books and a value in SQL: whatever else
// an endpoint says there, a text that is new in each answer or a byte that SQL refuses, does not get so far.
var codePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// code is the best word that the answer has; empty where it has none.
func (s errorBody) code() string {
	for _, said := range []string{s.fcmCode(), s.Status} {
		if codePattern.MatchString(said) {
			return said
		}
	}
	return ""
}

// payloadViolation finds a field of the payload that is refused. A target's field is none, and one without a name may be it. "message" is
// one: what FCM does not know in a message it refuses as a field of that name.
func (s errorBody) payloadViolation() (fieldViolation, bool) {
	for _, d := range s.Details {
		if d.Type != typeBadRequest {
			continue
		}
		for _, v := range d.FieldViolations {
			switch v.Field {
			case "", "message.token", "message.fid", "message.topic", "message.condition":
			default:
				return v, true
			}
		}
	}
	return fieldViolation{}, false
}

// quotaScope is the narrowest that a QuotaFailure names alone; without one, the project's.
func (s errorBody) quotaScope() QuotaScope {
	scope := QuotaNone
	for _, d := range s.Details {
		if d.Type != typeQuotaFailure {
			continue
		}
		for _, v := range d.Violations {
			named := v.scope()
			if scope != QuotaNone && named != scope {
				return QuotaProject
			}
			scope = named
		}
	}
	if scope == QuotaNone {
		return QuotaProject
	}
	return scope
}

// scope reads the subject, such as "project:42", and where that says nothing, the description.
func (v quotaViolation) scope() QuotaScope {
	subject, description := strings.ToLower(v.Subject), strings.ToLower(v.Description)
	switch {
	case strings.HasPrefix(subject, "project"):
		return QuotaProject
	case strings.HasPrefix(subject, "device"):
		return QuotaDevice
	case strings.HasPrefix(subject, "topic"):
		return QuotaTopic
	case strings.Contains(description, "device"):
		return QuotaDevice
	case strings.Contains(description, "topic"):
		return QuotaTopic
	default:
		return QuotaProject
	}
}
