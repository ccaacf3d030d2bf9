package tokens

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// Forgotten is what Forget did, and what it found.
type Forgotten struct {
	Removed bool                // Redis held the dead token, and does so no more
	Current notification.Target // the user's stored token if it is another one, from Redis or else from SQL: worth a try
	InSQL   notification.Target // the user's token in SQL, be it the dead one; zero as well where SQL was not asked
}

// Forget takes a token that FCM reported as unregistered out of Redis, unless another one is stored there by now. SQL is
// asked only where Redis holds no other token. For deadTTL the dead token is ignored where SQL still returns
// it, because SQL is cleared later, by whoever reads the recipient's result.
//
// For Options.Keep a copy is kept, with the campaign that proved the token dead (it may be ""), which Restore gives back:
// of a token that Redis held, and of one that SQL holds or may hold. There is one copy a user, that of the token that was
// removed last; but a token that was stored nowhere replaces no copy.
// A deletion and its copy succeed or fail together, and both pass when Redis is full.
//
// A *SourceError means that the token is gone from Redis, but SQL did not say whether there is another.
func (s *Store) Forget(ctx context.Context, user string, dead notification.Target, campaign string) (Forgotten, error) {
	if err := checkToken(dead); err != nil {
		return Forgotten{}, fmt.Errorf("forget token of %q: %w", user, err)
	}
	r := removal{user: user, token: dead.Value, spelled: dead.Text(), campaign: campaign}
	removed, stored, err := s.takeSpelled(ctx, r)
	if err != nil {
		return Forgotten{}, fmt.Errorf("forget token of %q: %w", user, err)
	}
	f := Forgotten{Removed: removed}
	if stored.IsSendable() && !stored.IsSame(dead) {
		f.Current = stored
		return f, nil
	}
	inSQL, err := s.inSQL(ctx, user)
	told := err == nil && s.source != nil
	if !removed && (!told || inSQL.IsSame(dead)) { // SQL is going to be cleared, too
		replace := replaceNone
		if told {
			replace = replaceOther
		}
		if err := s.keep(ctx, r, s.opts.TTL, replace); err != nil {
			return f, fmt.Errorf("keep dead token of %q: %w", user, err)
		}
	}
	if err != nil {
		return f, &SourceError{IDs: []string{user}, Err: fmt.Errorf("look for another token: %w", err)}
	}
	f.InSQL = inSQL
	if inSQL.IsSendable() && !inSQL.IsSame(dead) {
		f.Current = inSQL
	}
	return f, nil
}

// Another is the user's stored token if it is another one than the target, which proved dead or can be no token: from Redis, or
// else from SQL; zero if there is none. Nothing is changed. A *SourceError means that SQL did not say.
func (s *Store) Another(ctx context.Context, user string, dead notification.Target) (notification.Target, error) {
	text, err := textOf(s.rdb.Get(ctx, s.names.Token(user)))
	if err != nil {
		return notification.Target{}, fmt.Errorf("look for another token of %q: %w", user, err)
	}
	stored := notification.ParseToken(text)
	if !stored.IsSendable() || stored.IsSame(dead) { // then Redis' may be the older one
		if stored, err = s.inSQL(ctx, user); err != nil {
			return notification.Target{}, &SourceError{IDs: []string{user}, Err: fmt.Errorf("look for another token: %w", err)}
		}
	}
	if !stored.IsSendable() || stored.IsSame(dead) {
		return notification.Target{}, nil
	}
	return stored, nil
}

// inSQL is what SQL holds as the user's token; zero without one, or without SQL.
func (s *Store) inSQL(ctx context.Context, user string) (notification.Target, error) {
	if s.source == nil {
		return notification.Target{}, nil
	}
	text, err := s.asker.ask(ctx, user)
	return notification.ParseToken(text), err
}

// removal is a token that is proven dead, whose it is, and the campaign that proved it.
type removal struct {
	user, token, campaign string
	spelled               string // the token as Redis is supposed to hold it
}

// takeSpelled takes the dead token away however it is spelled in Redis, and returns what else is stored there. What is compared
// and deleted is the very text that was read.
func (s *Store) takeSpelled(ctx context.Context, r removal) (removed bool, stored notification.Target, err error) {
	removed, text, err := s.take(ctx, r)
	if stored = notification.ParseToken(text); err != nil || removed || stored.Value != r.token {
		return removed, stored, err
	}
	r.spelled = text
	removed, text, err = s.take(ctx, r)
	return removed, notification.ParseToken(text), err
}

// take marks a token as dead, and deletes it from Redis if it is still the stored one. The mark comes before the
// deletion, or together with it, so that a Lookup which wrote the token back in between finds the mark.
func (s *Store) take(ctx context.Context, r removal) (removed bool, stored string, err error) {
	if !s.names.TokenKeysTogether(r.user) {
		return s.takeApart(ctx, r)
	}
	keys := []string{s.names.Token(r.user), s.names.NoToken(r.user), s.names.RemovedToken(r.user)}
	return readTaken(forgetScript.Run(ctx, s.rdb, keys, r.spelled, deadTTL.Milliseconds(), r.head(), s.keepFor().Milliseconds(), r.token))
}

// takeApart is take for the odd user id whose token is in another Cluster slot than its copy. The copy comes first: being
// cut off leaves one that is not needed.
func (s *Store) takeApart(ctx context.Context, r removal) (removed bool, stored string, err error) {
	pipe := s.rdb.Pipeline()
	get, left := pipe.Get(ctx, s.names.Token(r.user)), pipe.PTTL(ctx, s.names.Token(r.user))
	_, _ = pipe.Exec(ctx) // each command carries its own error
	if stored, err = textOf(get); err != nil {
		return false, "", err
	}
	if stored != r.spelled {
		return false, stored, s.mark(ctx, r)
	}
	if err := s.keep(ctx, r, left.Val(), replaceAny); err != nil {
		return false, "", err
	}
	return readTaken(deleteScript.Run(ctx, s.rdb, []string{s.names.Token(r.user)}, r.spelled))
}

func readTaken(cmd *redis.Cmd) (removed bool, stored string, err error) {
	fields, err := cmd.Slice()
	if err != nil {
		return false, "", err
	}
	if len(fields) != 2 {
		return false, "", fmt.Errorf("script returned %d fields, want 2", len(fields))
	}
	stored, _ = fields[1].(string)
	return fields[0] == int64(1), stored, nil
}

// textOf is what a GET found; "" without a value, and for a key of another type.
func textOf(get *redis.StringCmd) (string, error) {
	text, err := get.Result()
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return "", nil
	}
	return text, err
}
