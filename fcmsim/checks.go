package fcmsim

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits that FCM documents.
const (
	maxMessage    = 4096 // bytes of the message without its target
	maxTTL        = 28 * 24 * time.Hour
	maxCollapseID = 64 // bytes
	maxLabel      = 50
	maxTopicName  = 900
	maxToken      = 4096
)

func checkTTL(text []byte) string {
	ttl, ok := parseSeconds(text)
	if !ok || ttl < 0 || ttl > maxTTL {
		return "TTL must be between 0 and 2419200 seconds."
	}
	return ""
}

// parseSeconds reads a duration of proto JSON: "3.5s".
func parseSeconds(text []byte) (time.Duration, bool) {
	number, ok := bytes.CutSuffix(text, []byte("s"))
	if !ok {
		return 0, false
	}
	for i, c := range number {
		if (c < '0' || c > '9') && (c != '-' || i > 0) && (c != '.' || i == 0) {
			return 0, false
		}
	}
	if _, fraction, dotted := bytes.Cut(number, []byte(".")); dotted && (len(fraction) == 0 || len(fraction) > 9) {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(string(number), 64)
	// Longer durations have a valid type, but no field of FCM takes one.
	const longest = 292 * 365 * 24 * 3600
	return time.Duration(min(max(seconds, -longest), longest) * float64(time.Second)), err == nil
}

// isWord reports whether text is a topic name or analytics label: [a-zA-Z0-9-_.~%].
func isWord(text []byte, longest int) bool {
	if len(text) == 0 || len(text) > longest {
		return false
	}
	for _, c := range text {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("-_.~%", rune(c)) {
			return false
		}
	}
	return true
}

func checkLabel(text []byte) string {
	if !isWord(text, maxLabel) {
		return "Invalid analytics label. It must match ^[a-zA-Z0-9-_.~%]{1,50}$."
	}
	return ""
}

func checkColor(text []byte) string {
	if len(text) == 7 && text[0] == '#' {
		if _, err := strconv.ParseUint(string(text[1:]), 16, 32); err == nil {
			return ""
		}
	}
	return "Invalid color. It must be in the form #RRGGBB."
}

func checkCount(text []byte) string {
	if text[0] == '-' {
		return "Notification count must not be negative."
	}
	return ""
}

func checkLink(text []byte) string {
	link, err := url.Parse(string(text))
	if err != nil || link.Scheme != "https" || link.Host == "" {
		return "Invalid link. It must be an absolute HTTPS URL."
	}
	return ""
}

func checkData(key, _ []byte) entryFault {
	switch k := string(key); {
	case k == "from", k == "message_type", k == "gcm", strings.HasPrefix(k, "google."), strings.HasPrefix(k, "gcm."):
		return entryFault{description: "Invalid data payload key: " + k}
	}
	return entryFault{}
}

func checkAPNsHeader(key, value []byte) entryFault {
	name := strings.ToLower(string(key))
	switch name {
	case "apns-collapse-id":
		if len(value) > maxCollapseID {
			return entryFault{"." + name, fmt.Sprintf("apns-collapse-id must not exceed %d bytes.", maxCollapseID)}
		}
	case "apns-priority":
		if v := string(value); v != "1" && v != "5" && v != "10" {
			return entryFault{"." + name, "apns-priority must be 1, 5 or 10."}
		}
	case "apns-expiration":
		if _, err := strconv.ParseUint(string(value), 10, 63); err != nil {
			return entryFault{"." + name, "apns-expiration must be a non-negative integer."}
		}
	}
	return entryFault{}
}

func checkWebpushHeader(key, value []byte) entryFault {
	switch strings.ToLower(string(key)) {
	case "ttl":
		seconds, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil {
			return entryFault{".TTL", "TTL must be a non-negative integer."}
		}
		if seconds > uint64(maxTTL/time.Second) {
			return entryFault{".TTL", "TTL must not exceed 2419200 seconds."}
		}
	case "urgency":
		if !slices.Contains([]string{"very-low", "low", "normal", "high"}, string(value)) {
			return entryFault{".Urgency", "Urgency must be very-low, low, normal or high."}
		}
	case "topic":
		const longest = 32 // RFC 8030
		if !isWord(value, longest) {
			return entryFault{".Topic", "Topic must be at most 32 characters of the URL-safe base64 alphabet."}
		}
	}
	return entryFault{}
}

// isLifetimeHeader reports whether an APNs or web push header limits how long a message lives.
func isLifetimeHeader(key []byte) bool {
	return bytes.EqualFold(key, []byte("ttl")) || bytes.EqualFold(key, []byte("apns-expiration"))
}
