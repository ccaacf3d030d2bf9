package daemon

import (
	"errors"
	"strconv"
)

// The exit codes of every program, and so of a Job. A scheduler restarts on ExitFault and ExitLeftover only: see deploy/.
const (
	ExitOK          = 0  // done; of a Job: the campaign is drained
	ExitFault       = 1  // something that a restart may cure
	ExitUsage       = 2  // the command line or the settings are wrong; of a Job: the campaign is a draft, or cannot be used
	ExitCredentials = 3  // FCM, Redis or SQL refused who we are or what we may do
	ExitStopped     = 4  // the campaign ended expired or cancelled, was paused by a person or a breaker, or lost recipients in Redis
	ExitNoCampaign  = 5  // there is no such campaign
	ExitLeftover    = 75 // stopped with work left (EX_TEMPFAIL)
)

// ExitError is an error that decides its program's exit code.
type ExitError struct {
	Code int
	Err  error // may be nil: the code says it all
}

// Exit gives err the exit code.
func WithExitCode(code int, err error) error { return &ExitError{Code: code, Err: err} }

func (e *ExitError) Error() string {
	if e.Err == nil {
		return "exit code " + strconv.Itoa(e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// Code is the exit code of what a program came to: the outermost ExitError decides, any other error is ExitFault.
func ExitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return exit.Code
	}
	return ExitFault
}
