package dispatcher

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry says when a recipient is tried again, and when no more. The floor of 10 s, the 60 s after a 429 and the
// limit of 60 minutes are FCM's ("Scale your FCM sends").
type Retry struct {
	// MaxAttempts bounds the requests made for one recipient.
	MaxAttempts int
	// MaxElapsed bounds the time from the recipient's first claim to its last attempt; a first attempt comes at any time.
	MaxElapsed time.Duration
	// MinBackoff is the shortest wait after an answer such as 500 or 503; MaxBackoff bounds the random part on top of it.
	MinBackoff, MaxBackoff time.Duration
	// Quota is the wait after a 429 that names none.
	Quota time.Duration
	// Unsent is the wait after a request that never reached FCM.
	Unsent time.Duration
	// Outage is the wait of recipients who cannot be served for reasons of ours: the database is down, the
	// credentials are refused. Such a wait does not count as an attempt. As often, FCM is asked whether it takes credentials again
	// for which the project was halted.
	Outage time.Duration
	// KeptBack is the wait of recipients whose platform is kept back, which a person has to mend. They are claimed each time,
	// so it is not short. It does not count as an attempt.
	KeptBack time.Duration
}

// DefaultRetry follows FCM's rules.
func DefaultRetry() Retry {
	return Retry{
		MaxAttempts: 8,
		MaxElapsed:  60 * time.Minute,
		MinBackoff:  10 * time.Second,
		MaxBackoff:  10 * time.Minute,
		Quota:       60 * time.Second,
		Unsent:      time.Second,
		Outage:      10 * time.Second,
		KeptBack:    5 * time.Minute,
	}
}

func (r Retry) validate() error {
	if r.MaxAttempts < 1 || r.MaxElapsed <= 0 || r.Quota <= 0 || r.Unsent <= 0 || r.Outage <= 0 || r.KeptBack <= 0 {
		return errors.New("retry: attempts and waits must be above zero")
	}
	if r.MinBackoff <= 0 || r.MaxBackoff < r.MinBackoff {
		return fmt.Errorf("retry: max back-off %s is below min back-off %s", r.MaxBackoff, r.MinBackoff)
	}
	return nil
}

// backoff is the wait after the given attempt (1 is the first): full jitter above the floor, so that the recipients
// of one bad moment do not come back together. The floor or what the server asked for, whichever is longer, is always kept.
func (r Retry) backoff(attempt int, floor, asked time.Duration) time.Duration {
	ceiling := r.MaxBackoff
	if shift := attempt - 1; shift < 16 {
		ceiling = min(ceiling, floor<<shift)
	}
	return max(floor, asked) + rand.N(max(ceiling, floor))
}
