package queue

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrReply is a fault of ours: the scripts and the code that reads their replies belong together.
var ErrReply = errors.New("script replied in another shape than it promises")

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

// transient are the words that begin the replies of a Redis or Valkey which is starting, failing over, moving slots, held up by a
// script, or short of something. Of clients a cluster says "max number of clients + cluster connections reached".
var transient = []string{
	"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN", "MOVED", "ASK", "REDIRECT", "BUSY", "UNKILLABLE",
	"OOM", "MISCONF", "max number of clients",
}

// Permanent tells that Redis has answered, and gives the same answer until somebody mends something: a key of another type,
// credentials, permissions, keys in different slots. A Redis that cannot be reached, or says that it is not ready, is none of that.
func Permanent(err error) bool {
	if _, mistyped := errors.AsType[*TypeError](err); mistyped {
		return true
	}
	_, answered := errors.AsType[redis.Error](err)
	return answered && !slices.ContainsFunc(transient, func(word string) bool {
		// Redis 6 tells in the middle what a command of a script was answered.
		return redis.HasErrorPrefix(err, word) || strings.Contains(err.Error(), ": -"+word)
	})
}

// inScript is how Redis 6 and 7, and Valkey, say that a command of a script is denied: not as it is said of other commands.
var inScript = []string{"The user executing the script can't", "ACL failure in script"}

// Denied reports whether Redis refuses our credentials, or what we ask of it with them.
func Denied(err error) bool {
	if redis.IsAuthError(err) || redis.IsPermissionError(err) {
		return true
	}
	_, answered := errors.AsType[redis.Error](err)
	return answered && slices.ContainsFunc(inScript, func(words string) bool { return strings.Contains(err.Error(), words) })
}
