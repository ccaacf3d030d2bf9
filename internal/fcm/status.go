package fcm

import (
	"encoding/json"
	"regexp"
	"strings"
)

// errorBody is Google's error format, google.rpc.Status.
type errorBody struct {
	Message string        `json:"message"`
	Status  string        `json:"status"`
	Details []errorDetail `json:"details"`
}

// errorDetail is an FcmError, a BadRequest or a QuotaFailure. The fields of other types stay empty.
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

// parseErrorBody reads as much as possible. A body that is not JSON, such as a proxy's page, gives
// an empty result.
func parseErrorBody(body []byte) errorBody {
	var answer struct {
		Error errorBody `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil && !json.Valid(body) {
		return errorBody{}
	}
	return answer.Error
}

// isGoogle reports whether the body has Google's error form, which always has a status (AIP-193).
// The page of a proxy or a login does not, nor does the error of an API gateway.
func (s errorBody) isGoogle() bool {
	return codePattern.MatchString(s.Status) || s.fcmCode() != ""
}

// fcmCode returns FCM's error code from the details, or "" if the answer is not FCM's.
func (s errorBody) fcmCode() string {
	for _, d := range s.Details {
		if d.Type == typeFCMError {
			return d.ErrorCode
		}
	}
	return ""
}

// codePattern is the form of Google's codes. Codes become metric labels, Redis fields and SQL
// values. Texts in any other form are dropped, such as a request id that differs in each answer.
var codePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// code returns the most specific code in the answer, or "".
func (s errorBody) code() string {
	for _, name := range []string{s.fcmCode(), s.Status} {
		if codePattern.MatchString(name) {
			return name
		}
	}
	return ""
}

// payloadViolation returns the refused field of the payload, if there is one. A target's field does
// not count, nor does a violation without a field, which may be about the target. The field
// "message" counts, because FCM reports an unknown member under that name.
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

// quotaScope returns the scope that all violations share, or else the project.
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

// scope reads the subject, such as "project:42", or the description if the subject does not help.
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
