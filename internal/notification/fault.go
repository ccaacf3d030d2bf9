package notification

import (
	"errors"
	"fmt"
	"strings"
)

// Fault says which field of a message cannot be used, and why.
type Fault struct {
	Field   string // the full path as it is spelled, such as message.android.notification.color
	Problem string // completes the sentence "<field>: …"
}

func (f *Fault) Error() string { return f.Field + ": " + f.Problem }

// Faults are all faults of one message, in the order of its text.
type Faults []*Fault

// faultsShown bounds the faults in one error text; a caller that lists them has them all.
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

// Err returns the faults as an error, nil where there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// FaultsOf returns the faults that an error carries; none where it is about something else.
func FaultsOf(err error) Faults {
	if all, ok := errors.AsType[Faults](err); ok {
		return all
	}
	if one, ok := errors.AsType[*Fault](err); ok {
		return Faults{one}
	}
	return nil
}
