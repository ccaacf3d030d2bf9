package queue

import "fmt"

// GateClosedError is what Claim returns when a field of Options' gate has another value than is wanted, and that value.
type GateClosedError struct{ Field }

func (e *GateClosedError) Error() string {
	return fmt.Sprintf("gate is closed: its %s is %q", e.Name, e.Value)
}

// FigureError names a field of the counts that holds no number, or one that no count can reach.
type FigureError struct{ Field }

func (e *FigureError) Error() string {
	return fmt.Sprintf("counts are unreadable: field %q holds %q, want a whole number: delete that field", e.Name, e.Value)
}
