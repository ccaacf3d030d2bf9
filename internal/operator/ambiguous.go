package operator

import "fanfare/internal/campaign"

// Ambiguous counts recipients that may or may not have been sent to at some moment.
type Ambiguous struct {
	// Unanswered counts the requests without a readable answer. Each was sent again or reported
	// as unknown.
	Unanswered int64 `json:"unanswered"`
	// Resent counts those that were sent again, or wait for it.
	Resent int64 `json:"resent"`
	// Lost counts how often a sender stopped without recording an outcome. With on_ambiguous:
	// report these recipients end as unknown.
	Lost int64 `json:"lost"`
	// PossibleDuplicates is the highest number of messages that may have arrived twice.
	PossibleDuplicates int64 `json:"possibleDuplicates"`
	// Unknown counts the recipients that ended as unknown.
	Unknown int64 `json:"unknown"`
}

// Ambiguous derives the uncertain figures from the books.
func (v View) Ambiguous() Ambiguous {
	b := v.Books
	a := Ambiguous{
		Unanswered: b.Resent + b.Unknown, Resent: b.Resent, Lost: b.Lost, PossibleDuplicates: b.Resent, Unknown: b.Unknown,
	}
	if v.Spec.OnAmbiguous == campaign.Resend {
		a.PossibleDuplicates += b.Lost
	}
	return a
}
