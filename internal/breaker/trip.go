package breaker

import "time"

// Scope is how much a trip stops.
type Scope string

// From the most to the least.
const (
	// Project: nobody in the Firebase project can be sent to until credentials are mended.
	Project Scope = "project"
	// Campaign: its message, or its audience, is wrong.
	Campaign Scope = "campaign"
	// Platform: only this one's recipients are kept back, which the breaker has done by itself.
	Platform Scope = "platform"
)

// Trip says what has to stop and why.
type Trip struct {
	Scope    Scope     `json:"scope"`
	Platform string    `json:"platform,omitempty"`
	Kind     Kind      `json:"kind"`
	Count    int64     `json:"count"` // of that kind
	Of       int64     `json:"of"`    // answers that prove something
	At       time.Time `json:"at"`    // the server's clock
	// Reason is for the operator: the figures, what they mean, and the next step.
	Reason string `json:"reason"`

	holder string // by which Confirm knows who acted
}

// Verdict is what a campaign's breaker says to whoever asks.
type Decision struct {
	// Trip is set for one caller of all: the one who is to act on it and then Confirm it. Who does not within ten
	// seconds is taken for dead, and the trip goes to another one.
	Trip *Trip
	// Tripped says that the round is over, by a trip or a reset: what is claimed and not sent goes back, and later
	// pushes are to be admitted anew.
	Tripped bool
	// Hold is why no one is admitted for now; nil: recipients are admitted.
	Hold *Hold
	// Paused are the platforms that are kept back, with the reasons. It is not to be changed.
	Paused map[string]string
}
