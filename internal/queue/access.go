package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Access is a family of keys that a Redis user must be let to, and one key of it.
type Access struct {
	Pattern string // as ACL SETUSER takes it behind a ~
	Reads   bool   // they are not written

	key string
}

// ResultAccess is what a responder needs.
func (n Names) ResultAccess() []Access {
	return exactly(n.ResponsesList())
}

// CampaignAccess is what whoever serves or loads campaigns needs.
func (n Names) CampaignAccess() []Access {
	list := newList(n.CampaignPrefix + strangerID())
	return family(n.CampaignPrefix, list.plain, list.Key(SuffixCounts))
}

// TokenAccess is what looking up tokens needs, and forgetting the dead ones.
func (n Names) TokenAccess() []Access {
	user := strangerID()
	return family(n.UserPrefix, n.Token(user), n.NoToken(user))
}

// ProfileAccess is what looking up profiles needs, and keeping those that came from SQL.
func (n Names) ProfileAccess(kept bool) []Access {
	user := strangerID()
	all := family(n.ProfilePrefix, n.Profile(user), n.NoProfile(user))
	if !kept {
		all = all[:1]
		all[0].Reads = true
	}
	return all
}

// Access is what keeping a project's pace needs.
func (k ProjectKeys) Access() []Access { return exactly(k.list)[1:] }

// strangerID is the id of no campaign and no user.
func strangerID() string { return "fanfare-check-" + NewClaimID() }

// family are the keys that begin with a prefix, and ours about them, which stand in braces unless the prefix brings its own.
func family(prefix, plain, own string) []Access {
	all := []Access{{Pattern: globLiteral(prefix) + "*", key: plain}}
	if !strings.HasPrefix(own, prefix) {
		all = append(all, Access{Pattern: "{" + globLiteral(prefix) + "*", key: own})
	}
	return all
}

// exactly are one list and ours beside it.
func exactly(l List) []Access {
	return []Access{{Pattern: globLiteral(l.plain), key: l.plain}, {Pattern: globLiteral(l.head) + ":*", key: l.Key("check")}}
}

// AccessError says which keys Redis keeps from us, and what its administrator has to type.
type AccessError struct {
	Patterns []string
	User     string
	Err      error
}

func (e *AccessError) Error() string {
	return fmt.Sprintf("no access to the keys %s: %v; grant it in Redis with: ACL SETUSER %s ~%s",
		strings.Join(e.Patterns, " "), e.Err, e.User, strings.Join(e.Patterns, " ~"))
}

func (e *AccessError) Unwrap() error { return e.Err }

// accessScript is a write that changes nothing: no key of a stranger's is there, and results never expire anyway. Scripts may do it
// even where Redis is full.
const accessScript = `return redis.call('PERSIST', KEYS[1])`

// CheckAccess asks Redis for all that is needed, as our scripts would. An *AccessError lists what it denies.
func CheckAccess(ctx context.Context, rdb redis.UniversalClient, needed ...Access) error {
	var denied AccessError
	for _, a := range needed {
		var err error
		if a.Reads {
			err = rdb.Exists(ctx, a.key).Err()
		} else {
			err = rdb.Eval(ctx, accessScript, []string{a.key}).Err()
		}
		switch {
		case err == nil:
		case !Denied(err):
			return fmt.Errorf("ask Redis for access to %s: %w", a.Pattern, err)
		case !slices.Contains(denied.Patterns, a.Pattern):
			denied.Patterns, denied.Err = append(denied.Patterns, a.Pattern), err
		}
	}
	if denied.Err == nil {
		return nil
	}
	denied.User = "USER"
	if name, err := rdb.Do(ctx, "ACL", "WHOAMI").Text(); err == nil {
		denied.User = name
	}
	return &denied
}
