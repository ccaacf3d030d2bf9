package redisx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrReply means that a script and its Go code do not match, which is a bug.
var ErrReply = errors.New("script reply has an unexpected shape")

// TypeError names a key of another type than is needed. Nothing was changed.
type TypeError struct{ Key, Holds, Want string }

func (e *TypeError) Error() string {
	return fmt.Sprintf("key %q holds a %s, want a %s: rename or delete it", e.Key, e.Holds, e.Want)
}

// AsTypeError turns a script's WRONGTYPE error into a *TypeError. It returns all other errors
// unchanged.
func AsTypeError(err error) error {
	if wrong, ok := parseTypeError(err.Error()); ok {
		return wrong
	}
	return err
}

// parseTypeError reads the scripts' "WRONGTYPE key <key> holds <type>, want <type>". It reads from
// the end, because a key may contain anything.
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

// transient are the first words of error replies that pass. Redis or Valkey is starting, failing
// over, moving slots, busy with a script or short of a resource. A cluster with too many clients
// replies "max number of clients + cluster connections reached".
var transient = []string{
	"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN", "MOVED", "ASK", "REDIRECT", "BUSY", "UNKILLABLE",
	"OOM", "MISCONF", "max number of clients",
}

// IsPermanent reports whether Redis replied with an error that lasts until a person fixes the
// cause: a key of another type, credentials, permissions, or keys in different slots. A Redis that
// cannot be reached or is not ready is no permanent error.
func IsPermanent(err error) bool {
	if _, mistyped := errors.AsType[*TypeError](err); mistyped {
		return true
	}
	_, answered := errors.AsType[redis.Error](err)
	return answered && !slices.ContainsFunc(transient, func(word string) bool {
		// Redis 6 puts the reply to a script's command in the middle of its own.
		return redis.HasErrorPrefix(err, word) || strings.Contains(err.Error(), ": -"+word)
	})
}

// otherDenials are how Redis 6 and 7 and Valkey report that a script's command is denied, or the
// end of a transaction. Other commands get NOPERM.
var otherDenials = []string{"The user executing the script can't", "ACL failure in script", "because of: NOPERM"}

// IsDenied reports whether Redis refuses our credentials or a command.
func IsDenied(err error) bool {
	if redis.IsAuthError(err) || redis.IsPermissionError(err) {
		return true
	}
	_, answered := errors.AsType[redis.Error](err)
	return answered && slices.ContainsFunc(otherDenials, func(words string) bool { return strings.Contains(err.Error(), words) })
}
