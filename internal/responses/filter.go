package responses

import (
	"strings"
	"time"
)

// Filter chooses dead letters; a zero field chooses all.
type Filter struct {
	Campaign string
	User     string
	Code     string // see DeadLetter.Code
	Kind     Kind
	Reason   string    // a part of the reason, in upper or lower case
	Since    time.Time // At or later
	Until    time.Time // before

	// Newest lists the newest letters first; otherwise the oldest come first.
	Newest bool
}

// Match tells whether a letter is chosen.
func (f *Filter) Match(l *DeadLetter) bool {
	return (f.Campaign == "" || f.Campaign == l.Result.CampaignID) &&
		(f.User == "" || f.User == l.Result.UserID) &&
		(f.Code == "" || f.Code == l.Code()) &&
		(f.Kind == "" || f.Kind == l.Kind) &&
		(f.Since.IsZero() || !l.At.Before(f.Since)) &&
		(f.Until.IsZero() || l.At.Before(f.Until)) &&
		(f.Reason == "" || strings.Contains(strings.ToLower(l.Reason), strings.ToLower(f.Reason)))
}
