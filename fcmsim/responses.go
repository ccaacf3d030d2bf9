package fcmsim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
)

const (
	jsonContent = "application/json; charset=UTF-8"
	htmlContent = "text/html; charset=UTF-8"
)

// response is a complete HTTP response.
type response struct {
	status      int
	contentType string
	body        []byte
}

// codeResponses has the response of each code whose body does not depend on the request. The bodies
// follow the Firebase reference ("FCM error codes"). Where it shows none, they follow responses
// that users of FCM have published.
var codeResponses = [numCodes]response{
	CodeInvalidArgument: jsonResponse(invalidArgument(
		"The registration token is not a valid FCM registration token", newFCMError("INVALID_ARGUMENT"))),
	CodeInvalidPayload: jsonResponse(invalidArgument("Request contains an invalid argument.",
		newBadRequest(violation{"message.notification.image", "Request contains an invalid argument."}),
		newFCMError("INVALID_ARGUMENT"))),
	CodeUnregistered: jsonResponse(status{http.StatusNotFound, "Requested entity was not found.", "NOT_FOUND",
		[]any{newFCMError("UNREGISTERED")}}),
	CodeSenderIDMismatch: jsonResponse(status{http.StatusForbidden, "SenderId mismatch", "PERMISSION_DENIED",
		[]any{newFCMError("SENDER_ID_MISMATCH")}}),
	CodeOverloaded: jsonResponse(status{http.StatusTooManyRequests, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED", nil}),
	CodeUnavailable: jsonResponse(status{http.StatusServiceUnavailable, "The service is currently unavailable.", "UNAVAILABLE",
		[]any{newFCMError("UNAVAILABLE")}}),
	CodeInternal: jsonResponse(status{http.StatusInternalServerError, "Internal error encountered.", "INTERNAL",
		[]any{newFCMError("INTERNAL")}}),
	CodeThirdPartyAuth: jsonResponse(status{http.StatusUnauthorized, "Auth error from APNS or Web Push Service", "UNAUTHENTICATED",
		[]any{
			newFCMError("THIRD_PARTY_AUTH_ERROR"),
			apnsError{"type.googleapis.com/google.firebase.fcm.v1.ApnsError", http.StatusForbidden, "InvalidProviderToken"},
		}}),
	CodeUnauthenticated: jsonResponse(unauthenticated(badCredentials, "ACCESS_TOKEN_EXPIRED")),
	CodeNotFound:        jsonResponse(status{http.StatusNotFound, "Requested entity was not found.", "NOT_FOUND", nil}),
	CodeBadGateway:      htmlResponse(http.StatusBadGateway, "The server encountered a temporary error and could not complete your request."),
	CodeGarbled:         {http.StatusOK, jsonContent, []byte("{\"name\": \"projects/\x00\xff<html>")},
}

func jsonResponse(s status) response { return response{s.Code, jsonContent, s.body()} }

// htmlResponse is an error page of Google's front end, which does not know FCM.
func htmlResponse(code int, text string) response {
	page := "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n" +
		"  <title>Error " + strconv.Itoa(code) + " (" + http.StatusText(code) + ")!!1</title>\n" +
		"  <p>" + text + " <ins>That's all we know.</ins>\n"
	return response{code, htmlContent, []byte(page)}
}

const (
	noCredentials = "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or " +
		"other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
	badCredentials = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or " +
		"other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)

func unauthenticated(message, reason string) status {
	return status{http.StatusUnauthorized, message, "UNAUTHENTICATED", []any{
		newErrorInfo(reason, "googleapis.com", map[string]string{
			"method":  "google.firebase.fcm.v1.FcmService.SendMessage",
			"service": "fcm.googleapis.com",
		}),
	}}
}

func permissionDenied(project string) status {
	const permission = "cloudmessaging.messages.create"
	resource := "//cloudresourcemanager.googleapis.com/projects/" + project
	return status{http.StatusForbidden,
		"Permission '" + permission + "' denied on resource '" + resource + "' (or it may not exist).",
		"PERMISSION_DENIED",
		[]any{newErrorInfo("IAM_PERMISSION_DENIED", "cloudresourcemanager.googleapis.com",
			map[string]string{"permission": permission, "resource": "projects/" + project})}}
}

// quotaExceeded is FCM's response to an exceeded quota. The subject is "project:<id>",
// "device:<hash of the token>" or "topic:<name>".
func quotaExceeded(message, subject, description string) status {
	return status{http.StatusTooManyRequests, message, "RESOURCE_EXHAUSTED",
		[]any{newFCMError("QUOTA_EXCEEDED"), newQuotaFailure(subject, description)}}
}

// defaultQuota is FCM's default of messages per minute and project.
const defaultQuota = 600_000

// rateLimited is the response of Google's front end, which does not know FCM, to a project over its
// quota.
func rateLimited(project string, perMinute int) status {
	return status{http.StatusTooManyRequests,
		"Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute' of service " +
			"'fcm.googleapis.com' for consumer 'project_number:" + projectNumber(project) + "'.",
		"RESOURCE_EXHAUSTED",
		[]any{
			newErrorInfo("RATE_LIMIT_EXCEEDED", "googleapis.com", map[string]string{
				"service":           "fcm.googleapis.com",
				"consumer":          "projects/" + projectNumber(project),
				"quota_metric":      "fcm.googleapis.com/send_requests",
				"quota_limit":       "SendsPerMinutePerProject",
				"quota_limit_value": strconv.Itoa(cmp.Or(perMinute, defaultQuota)),
				"quota_unit":        "1/min/{project}",
				"quota_location":    "global",
			}),
			newHelp("Request a higher quota limit.", "https://cloud.google.com/docs/quotas/help/request_increase"),
		}}
}

// projectNumber makes up the number that Google shows in place of a project's ID.
func projectNumber(project string) string {
	const digits = 1_000_000_000_000
	return strconv.FormatUint(digits/10+fingerprint(0, project)%(digits-digits/10), 10)
}

// response renders the response to a decision.
func (v decision) response() response {
	switch v.outcome.Code {
	case CodeOK, CodeTruncated, CodeTrickle, CodeGoAwayAfterRead:
		return response{http.StatusOK, jsonContent, []byte("{\n  \"name\": \"" + v.name + "\"\n}\n")}
	case CodePermissionDenied:
		return jsonResponse(permissionDenied(v.project))
	case CodeQuotaExceeded:
		return jsonResponse(quotaExceeded("Message rate exceeded.", "project:"+v.project, "Message rate exceeded"))
	case CodeDeviceQuotaExceeded:
		return jsonResponse(quotaExceeded("Device message rate exceeded.", "device:"+v.to.hash(), "Device message rate exceeded"))
	case CodeTopicQuotaExceeded:
		return jsonResponse(quotaExceeded("Topic quota exceeded.", "topic:"+v.to.topicName(), "Topic message rate exceeded"))
	case CodeRateLimited:
		return jsonResponse(rateLimited(v.project, v.quota))
	default:
		return codeResponses[v.outcome.Code]
	}
}

// status is Google's error body, google.rpc.Status, as its front end writes it.
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

// invalidArgument is a 400 with the details of what is wrong.
func invalidArgument(message string, details ...any) status {
	return status{Code: http.StatusBadRequest, Message: message, Status: "INVALID_ARGUMENT", Details: details}
}

// body renders the status as Google does: indented by two, without HTML escapes, with a final
// newline.
func (s status) body() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	// These types always encode.
	_ = enc.Encode(map[string]status{"error": s})
	return b.Bytes()
}
