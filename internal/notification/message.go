package notification

import (
	"errors"
	"fmt"
	"strings"
)

// Message is the "message" object of FCM's HTTP v1 API as JSON, without its target.
type Message []byte

// Fault says which field of a message is unusable, and why.
type Fault struct {
	Field   string // full path as it is spelled, such as message.android.notification.color
	Problem string // completes the sentence "<field>: …"
}

func (f *Fault) Error() string { return f.Field + ": " + f.Problem }

// Faults are all faults of one message, in the order of its text.
type Faults []*Fault

// faultsShown limits the faults in an error text. FaultsOf returns all of them.
const faultsShown = 10

func (f Faults) Error() string {
	texts := make([]string, 0, faultsShown+1)
	for _, fault := range f[:min(len(f), faultsShown)] {
		texts = append(texts, fault.Error())
	}
	if more := len(f) - faultsShown; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}

// Unwrap lets errors.As find the first Fault.
func (f Faults) Unwrap() []error {
	all := make([]error, len(f))
	for i, fault := range f {
		all[i] = fault
	}
	return all
}

// Err returns the faults as an error, or nil if there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// FaultsOf returns the faults in an error, or nil if it has none.
func FaultsOf(err error) Faults {
	if all, ok := errors.AsType[Faults](err); ok {
		return all
	}
	if one, ok := errors.AsType[*Fault](err); ok {
		return Faults{one}
	}
	return nil
}
