package operator

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// LoadSummary tells what a load did. It is filled also when the load broke off.
type LoadSummary struct {
	Loaded   int64      `json:"loaded"`
	Passed   int64      `json:"alreadyLoaded,omitempty"` // by a load that was interrupted, with which this one has gone on
	Rejected int64      `json:"rejected"`
	Errors   []RowError `json:"errors,omitempty"` // the first of those rejected
	// Hints name columns that are probably not what they are called.
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

// ErrNoRecipient is what Load returns for a file of which every line was rejected, and ErrNoToken what ImportTokens does.
var (
	ErrNoRecipient = errors.New("no line is a recipient: nothing was loaded")
	ErrNoToken     = errors.New("no line has a user and a token: nothing was stored")
)

// InterruptedError tells how far a load came that broke off. A load of the same audience goes on with it.
type InterruptedError struct {
	Err    error
	Done   int64 // recipients of the file that are loaded for certain, those skipped included
	Unsure int64 // further ones that may be loaded: the connection was lost before Redis answered
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
