package operator

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// LoadSummary is the result of a load, also of an interrupted one.
type LoadSummary struct {
	Loaded   int64      `json:"loaded"`
	Passed   int64      `json:"alreadyLoaded,omitempty"` // by an interrupted load that this one continued
	Rejected int64      `json:"rejected"`
	Errors   []RowError `json:"errors,omitempty"` // the first of those rejected
	// Hints name columns that probably need another name.
	Hints []string      `json:"hints,omitempty"`
	Took  time.Duration `json:"-"`
}

// MarshalJSON writes the time in seconds.
func (s LoadSummary) MarshalJSON() ([]byte, error) {
	type plain LoadSummary
	return json.Marshal(struct {
		plain
		Seconds float64 `json:"seconds"`
	}{plain(s), s.Took.Seconds()})
}

// Load returns ErrNoRecipient for a file with only rejected lines, and ImportTokens ErrNoToken.
var (
	ErrNoRecipient = errors.New("no line is a recipient: nothing was loaded")
	ErrNoToken     = errors.New("no line has a user and a token: nothing was stored")
)

// InterruptedError says how much an interrupted load has loaded. A load of the same audience
// continues it.
type InterruptedError struct {
	Err    error
	Done   int64 // recipients that are certainly loaded, including skipped ones
	Unsure int64 // more that may be loaded: the connection was lost before the reply
}

func (e *InterruptedError) Error() string {
	switch {
	case e.Unsure > 0:
		return fmt.Sprintf("%v: the first %d recipients are loaded, and perhaps the next %d", e.Err, e.Done, e.Unsure)
	case e.Done > 0:
		return fmt.Sprintf("%v: the first %d recipients are loaded", e.Err, e.Done)
	}
	return e.Err.Error() + ": nothing is loaded"
}

func (e *InterruptedError) Unwrap() error { return e.Err }
