package fcmsim

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// status is Google's error body: google.rpc.Status as its front end writes it.
type status struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []any  `json:"details,omitempty"`
}

type fcmError struct {
	Type      string `json:"@type"`
	ErrorCode string `json:"errorCode"`
}

type badRequest struct {
	Type            string      `json:"@type"`
	FieldViolations []violation `json:"fieldViolations,omitempty"`
}

type violation struct {
	Field       string `json:"field,omitempty"`
	Description string `json:"description"`
}

type quotaFailure struct {
	Type       string           `json:"@type"`
	Violations []quotaViolation `json:"violations"`
}

type quotaViolation struct {
	Subject     string `json:"subject"`
	Description string `json:"description"`
}

type apnsError struct {
	Type       string `json:"@type"`
	StatusCode int    `json:"statusCode"`
	Reason     string `json:"reason"`
}

type errorInfo struct {
	Type     string            `json:"@type"`
	Reason   string            `json:"reason"`
	Domain   string            `json:"domain"`
	Metadata map[string]string `json:"metadata"`
}

type help struct {
	Type  string `json:"@type"`
	Links []link `json:"links"`
}

type link struct {
	Description string `json:"description"`
	URL         string `json:"url"`
}

func newFCMError(code string) fcmError {
	return fcmError{"type.googleapis.com/google.firebase.fcm.v1.FcmError", code}
}

func newBadRequest(violations ...violation) badRequest {
	return badRequest{"type.googleapis.com/google.rpc.BadRequest", violations}
}

func newQuotaFailure(subject, description string) quotaFailure {
	return quotaFailure{"type.googleapis.com/google.rpc.QuotaFailure", []quotaViolation{{subject, description}}}
}

func newErrorInfo(reason, domain string, metadata map[string]string) errorInfo {
	return errorInfo{"type.googleapis.com/google.rpc.ErrorInfo", reason, domain, metadata}
}

func newHelp(description, url string) help {
	return help{"type.googleapis.com/google.rpc.Help", []link{{description, url}}}
}

// invalidArgument is a 400 whose message is its first detail's description.
func invalidArgument(message string, details ...any) status {
	return status{Code: http.StatusBadRequest, Message: message, Status: "INVALID_ARGUMENT", Details: details}
}

// body renders the status as Google does: indented by two, no HTML escapes, a newline at the end.
func (s status) body() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	// The types above hold nothing that encoding could refuse.
	_ = enc.Encode(map[string]status{"error": s})
	return b.Bytes()
}
