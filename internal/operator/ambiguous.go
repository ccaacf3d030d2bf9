package operator

import "fanfare/internal/campaign"

// Ambiguous are a campaign's recipients of whom nobody could tell, at some moment, whether they had been sent to.
type Ambiguous struct {
	// Unanswered counts the requests that ended without a readable answer; each was sent again, or reported as unknown.
	Unanswered int64 `json:"unanswered"`
	// Resent of them are sent again, or wait for it.
	Resent int64 `json:"resent"`
	// Lost counts how often a recipient's sender stopped without an outcome; a campaign that reports ends them as unknown.
	Lost int64 `json:"lost"`
	// PossibleDuplicates is how many messages may have arrived once more than they should, at the most.
	PossibleDuplicates int64 `json:"possibleDuplicates"`
	// Unknown are the recipients that ended as such.
	Unknown int64 `json:"unknown"`
}

// Ambiguous sets apart what of the books is not known for certain.
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
