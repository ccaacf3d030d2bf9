package campaign

import "fmt"

// OnAmbiguous decides what happens to a recipient when FCM may or may not have accepted the
// request.
type OnAmbiguous string

const (
	// Resend sends again: at least once.
	Resend OnAmbiguous = "resend"
	// Report ends the recipient as unknown: at most once.
	Report OnAmbiguous = "report"
)

// DevicePolicy says which of a user's devices get the message.
type DevicePolicy string

const (
	// AllDevices sends to each device of a user.
	AllDevices DevicePolicy = "all"
	// LatestDevice sends to the device that was used last.
	LatestDevice DevicePolicy = "latest"
)

// Dedupe says what a campaign sends to once.
type Dedupe string

const (
	// DedupeAddress sends once to each address, even if it belongs to several users.
	DedupeAddress Dedupe = "address"
	// DedupeUser sends once to each user.
	DedupeUser Dedupe = "user"
	// DedupeNone sends to each element.
	DedupeNone Dedupe = "none"
)

// Kind says whether a campaign counts against the caps of its users.
type Kind string

const (
	// Marketing is limited by the caps, and counts against them.
	Marketing Kind = "marketing"
	// Transactional is exempt: users wait for its messages.
	Transactional Kind = "transactional"
)

func (s *Spec) setKind(value string) (problem string) {
	if s.Kind = Kind(value); s.Kind != Marketing && s.Kind != Transactional {
		return fmt.Sprintf("is %s, want %s or %s", shorten(value), Marketing, Transactional)
	}
	return ""
}

func (s *Spec) setDedupe(value string) (problem string) {
	switch s.Dedupe = Dedupe(value); s.Dedupe {
	case DedupeAddress, DedupeUser, DedupeNone:
		return ""
	}
	return fmt.Sprintf("is %s, want %s, %s or %s", shorten(value), DedupeAddress, DedupeUser, DedupeNone)
}
