package fcmsim

import "fmt"

// Code is a way in which a request can end. Rules and counts use its name, such as "UNAVAILABLE".
type Code uint8

// The codes. A code that FCM has too has FCM's name.
const (
	CodeOK                  Code = iota // 200, accepted
	CodeInvalidArgument                 // 400 that does not mention the payload
	CodeInvalidPayload                  // 400 with a field violation
	CodeUnregistered                    // 404
	CodeSenderIDMismatch                // 403
	CodeQuotaExceeded                   // 429 of the project
	CodeDeviceQuotaExceeded             // 429 of the device
	CodeTopicQuotaExceeded              // 429 of the topic
	CodeRateLimited                     // 429 of the project, as the front end writes it
	CodeOverloaded                      // 429 that does not mention a quota
	CodeUnavailable                     // 503
	CodeInternal                        // 500
	CodeBadGateway                      // 502 as HTML
	CodeThirdPartyAuth                  // 401 of APNs or web push
	CodeUnauthenticated                 // 401 of the bearer
	CodePermissionDenied                // 403 of the account
	CodeNotFound                        // 404 without FcmError
	CodeGarbled                         // 200, body is not JSON
	CodeTruncated                       // 200, half of the body
	CodeTrickle                         // 200, body in pieces over the latency
	CodeHang                            // read, never answered
	CodeRefusedStream                   // stream refused, body not read
	CodeResetBeforeRead                 // stream reset, body not read
	CodeResetAfterRead                  // stream reset, body read
	CodeCloseBeforeRead                 // connection reset, body not read
	CodeCloseAfterRead                  // connection reset, body read
	CodeGoAwayBeforeRead                // GOAWAY that excludes this request
	CodeGoAwayAfterRead                 // answered, then GOAWAY
	numCodes
)

var codeNames = [numCodes]string{
	CodeOK:                  "OK",
	CodeInvalidArgument:     "INVALID_ARGUMENT",
	CodeInvalidPayload:      "INVALID_PAYLOAD",
	CodeUnregistered:        "UNREGISTERED",
	CodeSenderIDMismatch:    "SENDER_ID_MISMATCH",
	CodeQuotaExceeded:       "QUOTA_EXCEEDED",
	CodeDeviceQuotaExceeded: "DEVICE_QUOTA_EXCEEDED",
	CodeTopicQuotaExceeded:  "TOPIC_QUOTA_EXCEEDED",
	CodeRateLimited:         "RATE_LIMIT_EXCEEDED",
	CodeOverloaded:          "OVERLOADED",
	CodeUnavailable:         "UNAVAILABLE",
	CodeInternal:            "INTERNAL",
	CodeBadGateway:          "BAD_GATEWAY",
	CodeThirdPartyAuth:      "THIRD_PARTY_AUTH_ERROR",
	CodeUnauthenticated:     "UNAUTHENTICATED",
	CodePermissionDenied:    "PERMISSION_DENIED",
	CodeNotFound:            "NOT_FOUND",
	CodeGarbled:             "GARBLED",
	CodeTruncated:           "TRUNCATED",
	CodeTrickle:             "TRICKLE",
	CodeHang:                "HANG",
	CodeRefusedStream:       "REFUSED_STREAM",
	CodeResetBeforeRead:     "RESET_BEFORE_READ",
	CodeResetAfterRead:      "RESET_AFTER_READ",
	CodeCloseBeforeRead:     "CLOSE_BEFORE_READ",
	CodeCloseAfterRead:      "CLOSE_AFTER_READ",
	CodeGoAwayBeforeRead:    "GOAWAY_BEFORE_READ",
	CodeGoAwayAfterRead:     "GOAWAY_AFTER_READ",
}

// Codes returns the names of all codes.
func Codes() []string { return codeNames[:] }

func (c Code) String() string {
	if c >= numCodes {
		return fmt.Sprintf("Code(%d)", uint8(c))
	}
	return codeNames[c]
}

// MarshalText returns the code's name, or an error for a number that is not a code.
func (c Code) MarshalText() ([]byte, error) {
	if c >= numCodes {
		return nil, fmt.Errorf("no such code: %d", uint8(c))
	}
	return []byte(codeNames[c]), nil
}

// UnmarshalText reads a name that Codes lists.
func (c *Code) UnmarshalText(text []byte) error {
	for i, name := range codeNames {
		if name == string(text) {
			*c = Code(i)
			return nil
		}
	}
	return fmt.Errorf("no such code: %q", text)
}

// isBeforeRead reports whether the request's body is never read.
func (c Code) isBeforeRead() bool {
	switch c {
	case CodeRefusedStream, CodeResetBeforeRead, CodeCloseBeforeRead, CodeGoAwayBeforeRead:
		return true
	default:
		return false
	}
}

// isAccepted reports whether FCM has the message, whatever the sender sees of the response.
func (c Code) isAccepted() bool {
	switch c {
	case CodeOK, CodeGarbled, CodeTruncated, CodeTrickle, CodeGoAwayAfterRead:
		return true
	default:
		return false
	}
}

// isRateLimit reports whether the response is a 429.
func (c Code) isRateLimit() bool {
	switch c {
	case CodeQuotaExceeded, CodeDeviceQuotaExceeded, CodeTopicQuotaExceeded, CodeRateLimited, CodeOverloaded:
		return true
	default:
		return false
	}
}
