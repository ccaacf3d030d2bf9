package responses

import (
	"encoding/json"
	"time"

	"fanfare/internal/notification"
)

// Kind is what a dead letter holds.
type Kind string

// The kinds of dead letters.
const (
	KindRecipient Kind = "recipient" // a recipient that ended as failed
	KindElement   Kind = "element"   // an unreadable element of a campaign's list, in Raw
	KindResult    Kind = "result"    // an unreadable or refused element of the list of responses, in Raw
)

// These are the codes of letters whose Kind is KindResult.
const (
	CodeUnreadable = "RESULT_UNREADABLE"
	CodeRefused    = "RESULT_REFUSED"
)

// DeadLetter is one entry of the list of dead letters.
type DeadLetter struct {
	// ID is the result's id, so that copies are recognised. Without a result it is the element's
	// id.
	ID     string
	Kind   Kind
	Reason string
	// At is when the recipient ended. For KindResult it is when the letter was written.
	At     time.Time
	Result notification.Result // without Raw and Token; zero when there is none
	Raw    []byte

	// Remove finds the letter by its stored form, its position when it was read, and the number of
	// letters removed by then.
	stored            string
	position, removed int64
	isGap             bool // left by a cut removal
}

// Code is what letters are counted and found by: the result's error code, or one that says why
// there is none.
func (l *DeadLetter) Code() string {
	switch {
	case l.Kind != KindResult:
		return l.Result.ErrorCode
	case l.Result.ResultID == "":
		return CodeUnreadable
	}
	return CodeRefused
}

// FailedLetter returns the letter of a failed recipient, without a removed token. Copies of one
// result make the same letter, unless their time is in the future.
func FailedLetter(r notification.Result, now time.Time) DeadLetter {
	l := DeadLetter{ID: r.ResultID, Kind: KindRecipient, Reason: r.Error, At: r.At, Result: r}
	l.Result.RemoveTokens()
	if l.At.After(now) {
		l.At = now // otherwise it would never be too old
	}
	if l.Reason == "" {
		l.Reason = r.ErrorCode
	}
	empty := r.ErrorCode == notification.CodeMalformed && r.UserID == ""
	if len(r.Raw) > 0 || empty {
		l.Kind, l.Raw, l.Result.Raw = KindElement, r.Raw, nil
	}
	return l
}

// AppendDeadLetter appends the JSON of a letter, as the list stores it.
func AppendDeadLetter(dst []byte, l *DeadLetter) []byte {
	dst = appendField(dst, `{"id":`, l.ID)
	dst = appendField(dst, `,"kind":`, string(l.Kind))
	dst = appendField(dst, `,"reason":`, l.Reason)
	dst = appendTime(dst, `,"at":`, l.At)
	if l.Result.ResultID != "" {
		dst = Append(append(dst, `,"result":`...), &l.Result)
	}
	dst = appendRaw(dst, l.Raw)
	return append(dst, '}')
}

// DecodeDeadLetter reads what AppendDeadLetter wrote.
func DecodeDeadLetter(stored []byte) (DeadLetter, error) {
	var w struct {
		ID     string          `json:"id"`
		Kind   Kind            `json:"kind"`
		Reason string          `json:"reason"`
		At     time.Time       `json:"at"`
		Result json.RawMessage `json:"result"`
		Raw    []byte          `json:"raw"`
	}
	if err := json.Unmarshal(stored, &w); err != nil {
		return DeadLetter{}, malformedf("dead letter: %v", err)
	}
	l := DeadLetter{ID: w.ID, Kind: w.Kind, Reason: w.Reason, At: w.At.UTC(), Raw: w.Raw, stored: string(stored)}
	if w.ID == "" || w.At.IsZero() {
		return DeadLetter{}, malformedf("dead letter: id or at is missing")
	}
	if len(w.Result) > 0 {
		var err error
		if l.Result, err = Decode(w.Result); err != nil {
			return DeadLetter{}, err
		}
	}
	return l, nil
}

// foreignLetter stands for an entry that another program wrote. It is shown and can be removed. It
// has no time.
func foreignLetter(stored string, problem error) DeadLetter {
	raw := []byte(stored)
	return DeadLetter{ID: DerivedID(raw), Kind: KindResult, Reason: problem.Error(), Raw: raw, stored: stored}
}
