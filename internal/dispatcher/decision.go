package dispatcher

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// decision is what an answer means for one recipient: a final status, or another attempt after a
// wait, unless goesBack or sendAgain.
type decision struct {
	status      notification.Status // empty: another attempt
	code        string
	detail      string
	wait        time.Duration
	counted     bool // the request counts as an attempt
	deleteToken bool // the token is proven dead
	goesBack    bool // unsent
	sendAgain   bool // now, to the address that replaced a dead one
}

// attempt is what a decision depends on besides the answer.
type attempt struct {
	attempts    int           // requests made, including this one
	elapsed     time.Duration // since the first claim, or since the campaign or project was last resumed
	outage      bool          // this process got no answer from FCM around the time of the push
	lost        bool          // an earlier process stopped without an outcome
	remaining   time.Duration // until the campaign's deadline; at most zero if it has passed
	hasDeadline bool
	onAmbiguous campaign.OnAmbiguous
	// longestGate limits the Retry-After of a project-wide 429; 0: no limit.
	longestGate time.Duration
	// provenMessage: FCM has accepted this very message for another recipient, so a refusal is
	// about the target.
	provenMessage bool
	// target is what the push was addressed to.
	target notification.Target
}

// isDoubtful reports whether a 400 may be due to how we read the target. It was trimmed, or has
// characters that FCM's tokens do not have. The check costs most of a microsecond.
func (s *attempt) isDoubtful() bool { return s.target.IsTrimmed() || s.target.IsUnusual() }

// applyRules applies FCM's rules for an answer to one recipient.
func (r Retry) applyRules(a fcm.Answer, s attempt) decision {
	v := decision{code: a.Code, detail: a.Detail, counted: true}
	if mayHaveArrived(a) {
		return r.applyOnAmbiguous(v, a, s)
	}
	switch a.Class {
	case fcm.Sent:
		v.status = notification.StatusSent
		return v
	case fcm.Unregistered:
		v.status, v.deleteToken = notification.StatusFailed, true
		return v
	case fcm.BadTarget:
		v.status, v.deleteToken = notification.StatusFailed, s.provenMessage && !s.isDoubtful()
		return v
	case fcm.Quota:
		asked := a.RetryAfter
		if asked == 0 {
			asked = r.Quota
		}
		if a.Scope == fcm.QuotaProject && s.longestGate > 0 { // the gate opens then
			asked = min(asked, s.longestGate)
		}
		v.wait = r.backoff(1, r.Unsent, asked)
		if a.Scope == fcm.QuotaProject { // not about the recipient: a long gate must not fail it
			v.counted = false
			return v.applyDeadline(a, s)
		}
	case fcm.NotSent:
		// FCM cannot be reached: no recipient fails for that, however long it lasts.
		v.wait, v.counted = r.backoff(s.attempts, r.Unsent, a.RetryAfter), false
		return v.applyDeadline(a, s)
	case fcm.NotFCM:
		v.wait, v.counted = r.backoff(s.attempts, r.Outage, a.RetryAfter), !s.outage
	case fcm.Credentials:
		v.wait, v.counted = r.Outage, false
		return v.applyDeadline(a, s)
	default:
		v.status = notification.StatusFailed
		return v
	}
	return r.applyLimits(v, a, s).applyDeadline(a, s)
}

// applyOnAmbiguous applies the campaign's on_ambiguous to a recipient that may have the message. A
// push without an answer is no attempt while FCM answers no push, so an outage uses up no attempts.
func (r Retry) applyOnAmbiguous(v decision, a fcm.Answer, s attempt) decision {
	if s.onAmbiguous == campaign.Report {
		v.status = notification.StatusUnknown
		if v.code == "" {
			v.code = notification.CodeOutcomeUnknown
		}
		return v
	}
	v.wait, v.counted = r.backoff(s.attempts, r.MinBackoff, a.RetryAfter), !s.outage
	return r.applyLimits(v, a, s).applyDeadline(a, s)
}

// retryLookup defers a recipient with a dead token while the stores do not say whether there is
// another one. The next attempt asks them again.
func (r Retry) retryLookup(a fcm.Answer, s attempt) decision {
	v := decision{code: a.Code, detail: a.Detail, wait: r.backoff(s.attempts, r.Outage, 0), counted: true}
	return r.applyLimits(v, a, s).applyDeadline(a, s)
}

// applyLimits ends a recipient after too many attempts or too much time: as unknown if the last
// attempt may have arrived. The time counts from the second attempt: before the first one, a
// recipient may have waited for a paused campaign or for SQL.
func (r Retry) applyLimits(v decision, a fcm.Answer, s attempt) decision {
	if !v.counted {
		return v
	}
	first := s.attempts == 1
	tooOften := s.attempts >= r.MaxAttempts
	tooLong := !first && s.elapsed+v.wait > r.MaxElapsed
	if !tooOften && !tooLong {
		return v
	}
	v.status = notification.StatusFailed
	if mayHaveArrived(a) {
		v.status = notification.StatusUnknown
	}
	if v.code == "" {
		v.code = notification.CodeGaveUp
	}
	v.detail = fmt.Sprintf("gave up after %d attempts in %s: %s", s.attempts, s.elapsed.Round(time.Second), v.detail)
	return v
}

// applyDeadline ends a recipient whose next attempt would come after the deadline. It is unknown,
// not expired, if this attempt or that of a lost process may have arrived. Earlier ambiguous
// attempts are only in the counts.
func (v decision) applyDeadline(a fcm.Answer, s attempt) decision {
	if v.status != "" || !s.hasDeadline || v.wait < s.remaining {
		return v
	}
	v.status, v.code = notification.StatusExpired, notification.CodeDeadline
	if mayHaveArrived(a) || s.lost {
		v.status, v.code = notification.StatusUnknown, notification.CodeOutcomeUnknown
	}
	return v
}

// Retry says when a recipient is tried again, and for how long. FCM asks for the minimum of 10 s,
// the 60 s after a 429 and the limit of 60 minutes ("Scale your FCM sends").
type Retry struct {
	// MaxAttempts limits the requests made for one recipient.
	MaxAttempts int
	// MaxElapsed limits the time from a recipient's first claim to its last attempt. The first
	// attempt has no limit.
	MaxElapsed time.Duration
	// MinBackoff is the shortest wait after an answer such as 500 or 503. MaxBackoff limits the
	// random part on top of it.
	MinBackoff, MaxBackoff time.Duration
	// Quota is the wait after a 429 without a Retry-After.
	Quota time.Duration
	// Unsent is the wait after a request that never reached FCM.
	Unsent time.Duration
	// Outage is the wait for a fault on our side: the database is down, or the credentials are
	// refused. It does not count as an attempt. It is also the interval of the probes after such a
	// refusal.
	Outage time.Duration
	// KeptBack is the wait of recipients whose platform is paused until a person resumes it. They
	// are claimed each time, so it is not short. It does not count as an attempt.
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

// backoff is the wait after an attempt (1 is the first): the floor or the server's Retry-After,
// whichever is longer, plus full jitter. So the recipients of one failure do not return together.
func (r Retry) backoff(attempt int, floor, asked time.Duration) time.Duration {
	ceiling := r.MaxBackoff
	if shift := attempt - 1; shift < 16 {
		ceiling = min(ceiling, floor<<shift)
	}
	return max(floor, asked) + rand.N(max(ceiling, floor))
}
