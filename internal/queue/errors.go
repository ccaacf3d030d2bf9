package queue

import (
	"errors"
	"fmt"
	"strings"
)

// ErrGateClosed is what Claim returns when Options' gate does not hold the wanted values; see GateClosedError.
var ErrGateClosed = errors.New("gate is closed")

// GateClosedError is an ErrGateClosed together with a field that has another value than is wanted, and that value.
type GateClosedError struct{ Field }

func (e *GateClosedError) Error() string {
	return fmt.Sprintf("%s: its %s is %q", ErrGateClosed, e.Name, e.Value)
}

// Unwrap makes errors.Is(err, ErrGateClosed) true.
func (e *GateClosedError) Unwrap() error { return ErrGateClosed }

// TypeError names a key that holds another type than is needed; nothing was changed.
type TypeError struct{ Key, Holds, Want string }

func (e *TypeError) Error() string {
	return fmt.Sprintf("key %q holds a %s, want a %s: rename or delete it", e.Key, e.Holds, e.Want)
}

// Typed makes a *TypeError of the error with which a script says that a key holds another type; any other it returns as it is.
func Typed(err error) error {
	if wrong, ok := parseTypeError(err.Error()); ok {
		return wrong
	}
	return err
}

// parseTypeError reads the scripts' "WRONGTYPE key <key> holds <type>, want <type>"; from the end, for a key may
// hold anything.
func parseTypeError(message string) (*TypeError, bool) {
	rest, ok := strings.CutPrefix(message, "WRONGTYPE key ")
	if !ok {
		return nil, false
	}
	want := strings.LastIndex(rest, ", want ")
	if want < 0 {
		return nil, false
	}
	holds := strings.LastIndex(rest[:want], " holds ")
	if holds < 0 {
		return nil, false
	}
	return &TypeError{
		Key:   rest[:holds],
		Holds: rest[holds+len(" holds ") : want],
		Want:  rest[want+len(", want "):],
	}, true
}
