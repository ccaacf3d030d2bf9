package campaign

import "fanfare/internal/schedule"

// QuietHours say whether a campaign keeps the quiet hours of its users. The zero QuietHours ask no
// profile: only those in the elements count.
type QuietHours struct {
	// Own is whether the quiet hours in profiles are kept.
	Own bool
	// Default are the quiet hours of users who have none of their own. With them, Own is set.
	Default schedule.Windows
}

// ownQuiet is the text of QuietHours without a default.
const ownQuiet = "own"

// IsZero reports whether profiles are not asked.
func (q QuietHours) IsZero() bool { return !q.Own }

// String is the text that ParseQuietHours reads; "" for the zero QuietHours.
func (q QuietHours) String() string {
	if q.Own && q.Default.IsZero() {
		return ownQuiet
	}
	return q.Default.String()
}

// ParseQuietHours reads "own", or the default quiet hours, such as "22:00-07:00"; "" and "none"
// mean the zero QuietHours. The error text follows the name of a field.
func ParseQuietHours(text string) (QuietHours, error) {
	if text == ownQuiet {
		return QuietHours{Own: true}, nil
	}
	hours, err := schedule.ParseQuiet(text)
	return QuietHours{Own: !hours.IsZero(), Default: hours}, err
}

// IsExemptFromQuiet reports whether the campaign sends in quiet hours.
func (s Spec) IsExemptFromQuiet() bool { return s.Kind == Transactional }

// NoteBadQuiet is the note of an ended recipient whose own quiet hours cannot be read. The
// campaign's were used.
const NoteBadQuiet = "bad_quiet"
