package daemon

import (
	"errors"
	"strconv"
)

// The exit codes of every program, and so of a Job. Schedulers restart on ExitFault and
// ExitLeftover only (see deploy/).
const (
	ExitOK          = 0  // done; of a Job: the campaign is drained
	ExitFault       = 1  // a fault that a restart may cure
	ExitUsage       = 2  // wrong command line or settings; of a Job: a draft, or an unusable campaign
	ExitCredentials = 3  // FCM, Redis or SQL refused our credentials or permissions
	ExitStopped     = 4  // the campaign expired, was cancelled or paused, or lost recipients in Redis
	ExitNoCampaign  = 5  // there is no such campaign
	ExitLeftover    = 75 // stopped with work left (EX_TEMPFAIL)
)

// ExitError is an error with an exit code.
type ExitError struct {
	Code int
	Err  error // may be nil, if the code says it all
}

// WithExitCode wraps err with an exit code.
func WithExitCode(code int, err error) error { return &ExitError{Code: code, Err: err} }

func (e *ExitError) Error() string {
	if e.Err == nil {
		return "exit code " + strconv.Itoa(e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// ExitCode returns the code of the outermost ExitError. Any other error means ExitFault.
func ExitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return exit.Code
	}
	return ExitFault
}
