package fcm

import "strings"

// Headers of APNs that a copy may be given, in the case that FCM documents. Apple does not mind the case.
const (
	headerCollapseID = "apns-collapse-id"
	headerExpiration = "apns-expiration"
	headerPushType   = "apns-push-type"
	headerWebTTL     = "TTL"
)

// header finds a header in whatever case it is written.
func findHeader(headers map[string]string, name string) (string, bool) {
	for key, value := range headers {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// withHeader copies the headers and sets one, whatever case it stood in.
func copyWithHeader(headers map[string]string, name, value string) map[string]string {
	out := make(map[string]string, len(headers)+1)
	for k, v := range headers {
		if !strings.EqualFold(k, name) {
			out[k] = v
		}
	}
	out[name] = value
	return out
}
