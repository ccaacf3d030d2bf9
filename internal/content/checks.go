package content

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits that FCM documents.
const (
	maxMessage    = 4096 // bytes of the message's JSON without its target
	maxTTL        = 28 * 24 * time.Hour
	maxCollapseID = 64 // bytes
)

var (
	labelPattern = regexp.MustCompile(`^[a-zA-Z0-9-_.~%]{1,50}$`)
	colorPattern = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
)

func checkTTL(value string) string {
	if d, _ := parseDuration(value); d > maxTTL {
		return fmt.Sprintf("is %s, over the 28 days (2419200s) that FCM keeps a message", value)
	}
	return ""
}

func checkLabel(value string) string {
	if value != "" && !labelPattern.MatchString(value) {
		return fmt.Sprintf("%q does not match %s", value, labelPattern)
	}
	return ""
}

func checkColor(value string) string {
	if value != "" && !colorPattern.MatchString(value) {
		return fmt.Sprintf("%q is not of the form #RRGGBB", value)
	}
	return ""
}

func checkCount(value string) string {
	if strings.HasPrefix(value, "-") {
		return "is below zero"
	}
	return ""
}

func checkImage(value string) string { return checkURL(value, "http", "https") }

func checkLink(value string) string { return checkURL(value, "https") }

func checkURL(value string, schemes ...string) string {
	if value == "" {
		return ""
	}
	u, err := url.ParseRequestURI(value)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return fmt.Sprintf("%q is not an absolute %s URL", value, strings.Join(schemes, " or "))
	}
	return ""
}

func checkDataKey(key string) string {
	switch {
	case key == "from", key == "message_type", key == "gcm",
		strings.HasPrefix(key, "google."), strings.HasPrefix(key, "gcm."):
		return "is a key that FCM reserves for itself"
	}
	return ""
}

func apnsHeaderCheck(key string) func(value string) string {
	switch strings.ToLower(key) {
	case headerCollapseID:
		return checkCollapseID
	case "apns-priority":
		return checkAPNSPriority
	case headerExpiration:
		return checkExpiration
	}
	return nil
}

func checkCollapseID(value string) string {
	if len(value) > maxCollapseID {
		return fmt.Sprintf("is %d bytes, over the %d that APNs allows", len(value), maxCollapseID)
	}
	return ""
}

func checkAPNSPriority(value string) string {
	if !slices.Contains([]string{"1", "5", "10"}, value) {
		return fmt.Sprintf("is %q, not 1, 5 or 10", value)
	}
	return ""
}

func checkExpiration(value string) string {
	if _, err := strconv.ParseUint(value, 10, 63); err != nil {
		return fmt.Sprintf("is %q, not a time in seconds since 1970", value)
	}
	return ""
}

func webpushHeaderCheck(key string) func(value string) string {
	switch strings.ToLower(key) {
	case "ttl":
		return checkWebTTL
	case "urgency":
		return checkUrgency
	}
	return nil
}

func checkWebTTL(value string) string {
	seconds, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return fmt.Sprintf("is %q, not a number of seconds", value)
	}
	if seconds > uint64(maxTTL/time.Second) {
		return fmt.Sprintf("is %s, over the 28 days (2419200) that FCM keeps a message", value)
	}
	return ""
}

func checkUrgency(value string) string {
	if !slices.Contains([]string{"very-low", "low", "normal", "high"}, value) {
		return fmt.Sprintf("is %q, not very-low, low, normal or high", value)
	}
	return ""
}
