package schedule

import (
	"errors"
	"fmt"
)

// noQuiet is the text of a user who wants no quiet hours, whatever the campaign has.
const noQuiet = "none"

// ParseQuiet reads hours in which a user gets no push, such as "22:00-07:00" or "fri,sat
// 23:00-09:00; sun-thu 22:00-07:00". The form is that of windows. "" and "none" mean no quiet
// hours. The error text follows the name of a field.
func ParseQuiet(text string) (Windows, error) {
	if text == noQuiet {
		return Windows{}, nil
	}
	quiet, err := ParseWindows(text)
	switch {
	case errors.Is(err, errNeverOpens):
		return Windows{}, fmt.Errorf("has %q: a time in it begins and ends at once; want one such as 21:00-08:00", clip(text))
	case err != nil:
		return Windows{}, err
	case len(quiet.texts) > 0 && quiet.IsZero():
		return Windows{}, fmt.Errorf("has %q: it covers the whole week, so no push would ever go", clip(quiet.String()))
	}
	return quiet, nil
}

// WithQuiet returns the rules as they are for a recipient with quiet hours. A moment is quiet while
// the wall clock shows one of their minutes, as windows are open.
func (r Rules) WithQuiet(quiet Windows) Rules {
	if quiet.IsZero() {
		return r
	}
	left := r.Windows.without(quiet)
	r.neverOpen = len(left.spans) == 0
	r.Windows = left
	return r
}

// without returns what windows leave outside quiet hours. It has no text, and no spans if nothing
// is left.
func (w Windows) without(quiet Windows) Windows {
	open := w.spans
	if w.IsZero() {
		open = []span{{0, weekLength}}
	}
	var left []span
	for _, s := range open {
		for _, q := range quiet.spans {
			if q.to <= s.from || s.to <= q.from {
				continue
			}
			if s.from < q.from {
				left = append(left, span{s.from, q.from})
			}
			s.from = min(q.to, s.to)
		}
		if s.from < s.to {
			left = append(left, s)
		}
	}
	return Windows{spans: left}
}
