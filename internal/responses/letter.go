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
	KindElement   Kind = "element"   // an element of a campaign's list that nobody can read; Raw is what the producer wrote
	KindResult    Kind = "result"    // an element of the list of responses that nobody can read or SQL refuses; Raw is that element
)

// Codes of letters whose Kind is KindResult.
const (
	CodeUnreadable = "RESULT_UNREADABLE"
	CodeRefused    = "RESULT_REFUSED"
)

// DeadLetter is one entry of the list of dead letters.
type DeadLetter struct {
	// ID is the result's id, so that copies are recognised; that of the element where there is no result.
	ID     string
	Kind   Kind
	Reason string
	// At is when the recipient ended; for KindResult, when the letter was written.
	At     time.Time
	Result notification.Result // without Raw and Token; zero when there is none
	Raw    []byte

	// What Remove finds it by: as it stands in the list, where it was read, and how many had been removed by then.
	stored            string
	position, removed int64
	gone              bool // nothing but a gap in the list
}

// Code is what letters are counted and found under: the result's error code, or one that says why there is none.
func (l *DeadLetter) Code() string {
	switch {
	case l.Kind != KindResult:
		return l.Result.ErrorCode
	case l.Result.ResultID == "":
		return CodeUnreadable
	}
	return CodeRefused
}

// FailedLetter is the letter of a recipient that ended as failed; it leaves a removed token out. Copies of one result
// make the same letter, unless they claim to come from the future.
func FailedLetter(r notification.Result, now time.Time) DeadLetter {
	l := DeadLetter{ID: r.ResultID, Kind: KindRecipient, Reason: r.Error, At: r.At, Result: r}
	l.Result.Token = ""
	if l.At.After(now) {
		l.At = now // or it would never grow too old
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

// AppendDeadLetter appends the JSON of a letter, as the list holds it.
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
		return DeadLetter{}, malformed("dead letter: %v", err)
	}
	l := DeadLetter{ID: w.ID, Kind: w.Kind, Reason: w.Reason, At: w.At.UTC(), Raw: w.Raw, stored: string(stored)}
	if w.ID == "" || w.At.IsZero() {
		return DeadLetter{}, malformed("dead letter: id or at is missing")
	}
	if len(w.Result) > 0 {
		var err error
		if l.Result, err = Decode(w.Result); err != nil {
			return DeadLetter{}, err
		}
	}
	return l, nil
}

// foreignLetter stands for an entry that somebody else wrote: it is shown, and can be removed. It has no time.
func foreignLetter(stored string, problem error) DeadLetter {
	raw := []byte(stored)
	return DeadLetter{ID: DerivedID(raw), Kind: KindResult, Reason: problem.Error(), Raw: raw, stored: stored}
}
