package notification

import "strings"

// maxPlatform is the longest name of a platform in bytes.
const maxPlatform = 32

// Platform makes one name of a platform's spellings: 1 to 32 letters a to z, digits and underscores. It is "" for what cannot be
// one, for it becomes part of fields in Redis.
func NormalizePlatform(text string) string {
	if len(text) > maxPlatform {
		return ""
	}
	name := strings.ToLower(text)
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return ""
		}
	}
	return name
}
