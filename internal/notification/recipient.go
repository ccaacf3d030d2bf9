// Package notification holds the nouns that all packages share: Recipient, Message, Target, and the
// Result of a delivery with its Status. It imports the standard library only.
package notification

import (
	"encoding/json"
	"strings"
)

// Recipient is one element of a campaign's list, as its producer wrote it.
type Recipient struct {
	// UserID is the producer's own id. A JSON number keeps its digits as written.
	UserID string
	// Target is the user's address according to the producer. The zero Target means "look it up".
	Target Target
	// Vars fill the message's placeholders before the profile does. Values are the producer's JSON.
	Vars map[string]json.RawMessage
	// Locale is a BCP 47 tag such as "pt-BR". TimeZone is an IANA name such as "Asia/Saigon". Both
	// may be empty.
	Locale   string
	TimeZone string
	// Platform is what the user's device runs, such as android, ios or web, in lower case. It is
	// empty if the producer does not say.
	Platform string
}

// maxPlatform is the longest name of a platform in bytes.
const maxPlatform = 32

// NormalizePlatform returns a platform's name in lower case: 1 to 32 letters a to z, digits and
// underscores. Any other text gives "", because the name becomes part of fields in Redis.
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
