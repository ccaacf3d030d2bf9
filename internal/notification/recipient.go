// Package notification holds the nouns that all rooms speak: who is to be told (Recipient), what is to be
// said (Message), where it goes (Target), and what became of it (Result, Status). It imports the standard library only.
package notification

import "encoding/json"

// Recipient is one element of a campaign's list, as its producer wrote it.
type Recipient struct {
	// UserID is the producer's own id; a JSON number keeps its digits as they were written.
	UserID string
	// Target is where the producer says the user can be reached; the zero Target means "look it up".
	Target Target
	// Vars fill the message's placeholders before the profile does. Values are as in the producer's JSON.
	Vars map[string]json.RawMessage
	// Locale is a BCP 47 tag such as "pt-BR"; TimeZone an IANA name such as "Asia/Saigon". Both may be empty.
	Locale   string
	TimeZone string
	// Platform is what the user's device runs, such as android, ios or web, in small letters; empty where the producer does
	// not say.
	Platform string
}

// Message is what a campaign says: the "message" object of FCM's HTTP v1 API as JSON, without its target.
type Message []byte
