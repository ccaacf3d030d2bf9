package tokens

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// ForgetResult is what Forget did and found.
type ForgetResult struct {
	Removed bool                // Forget deleted the dead token from Redis
	Current notification.Target // the user's other stored token, from Redis or else from SQL; worth a try
	InSQL   notification.Target // the user's token in SQL, perhaps the dead one; zero if SQL was not asked
}

// Forget deletes a token that FCM reported as unregistered from Redis, unless another one is stored
// there. It queries SQL only if Redis holds no other token. For deadTTL lookups ignore the dead
// token in SQL, because the responder clears it there later.
//
// For Options.KeepTTL Redis keeps a copy, which Restore writes back. It names the campaign that
// proved the token dead, or "". Forget copies tokens that Redis held and tokens that SQL holds or
// may hold. Each user has one copy, of the token removed last. A token that was stored nowhere
// replaces no copy. A deletion and its copy succeed or fail together, and both succeed when Redis
// is full.
//
// A *SourceError means that the token is gone from Redis and SQL did not answer.
func (s *Store) Forget(ctx context.Context, user string, dead notification.Target, campaign string) (ForgetResult, error) {
	if err := checkToken(dead); err != nil {
		return ForgetResult{}, fmt.Errorf("forget token of %q: %w", user, err)
	}
	r := removal{user: user, token: dead.Value, spelled: dead.Text(), campaign: campaign}
	removed, stored, err := s.deleteAnySpelling(ctx, r)
	if err != nil {
		return ForgetResult{}, fmt.Errorf("forget token of %q: %w", user, err)
	}
	f := ForgetResult{Removed: removed}
	if stored.IsSendable() && !stored.IsSame(dead) {
		f.Current = stored
		return f, nil
	}
	inSQL, err := s.readSQL(ctx, user)
	told := err == nil && s.source != nil
	if !removed && (!told || inSQL.IsSame(dead)) { // the responder clears SQL, too
		replace := replaceNone
		if told {
			replace = replaceOther
		}
		if err := s.writeCopy(ctx, r, s.opts.TTL, replace); err != nil {
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

// FindAnother returns the user's stored token if it differs from the target, which is dead or
// cannot be a token. It looks in Redis and then in SQL, and changes nothing. The zero Target means
// none. A *SourceError means that SQL did not answer.
func (s *Store) FindAnother(ctx context.Context, user string, dead notification.Target) (notification.Target, error) {
	text, err := readText(s.rdb.Get(ctx, s.names.Token(user)))
	if err != nil {
		return notification.Target{}, fmt.Errorf("look for another token of %q: %w", user, err)
	}
	stored := notification.ParseToken(text)
	if !stored.IsSendable() || stored.IsSame(dead) { // Redis may hold the older one
		if stored, err = s.readSQL(ctx, user); err != nil {
			return notification.Target{}, &SourceError{IDs: []string{user}, Err: fmt.Errorf("look for another token: %w", err)}
		}
	}
	if !stored.IsSendable() || stored.IsSame(dead) {
		return notification.Target{}, nil
	}
	return stored, nil
}

// readSQL returns the user's token in SQL, or zero without one or without a source.
func (s *Store) readSQL(ctx context.Context, user string) (notification.Target, error) {
	if s.source == nil {
		return notification.Target{}, nil
	}
	text, err := s.coalescer.get(ctx, user)
	return notification.ParseToken(text), err
}

// removal is a dead token with its user and the campaign that proved it dead.
type removal struct {
	user, token, campaign string
	spelled               string // the token in the spelling that Redis should hold
}

// deleteAnySpelling deletes the dead token in whatever spelling Redis holds, and returns another
// stored token. It compares and deletes exactly the text that it read.
func (s *Store) deleteAnySpelling(ctx context.Context, r removal) (removed bool, stored notification.Target, err error) {
	removed, text, err := s.deleteIfStored(ctx, r)
	if stored = notification.ParseToken(text); err != nil || removed || stored.Value != r.token {
		return removed, stored, err
	}
	r.spelled = text
	removed, text, err = s.deleteIfStored(ctx, r)
	return removed, notification.ParseToken(text), err
}

// deleteIfStored marks a token as dead and deletes it from Redis if it still is the stored one. The
// mark comes before the deletion or with it. A Lookup that writes the token back in between finds
// the mark.
func (s *Store) deleteIfStored(ctx context.Context, r removal) (removed bool, stored string, err error) {
	if !s.names.TokenKeysShareSlot(r.user) {
		return s.deleteAcrossSlots(ctx, r)
	}
	keys := []string{s.names.Token(r.user), s.names.NoToken(r.user), s.names.RemovedToken(r.user)}
	return parseDeleted(forgetScript.Run(ctx, s.rdb, keys, r.spelled, deadTTL.Milliseconds(), r.jsonHead(), s.copyTTL().Milliseconds(), r.token))
}

// deleteAcrossSlots is deleteIfStored for rare user ids whose token and copy are in different
// Cluster slots. It writes the copy first, so an interruption leaves only a superfluous copy.
func (s *Store) deleteAcrossSlots(ctx context.Context, r removal) (removed bool, stored string, err error) {
	pipe := s.rdb.Pipeline()
	get, left := pipe.Get(ctx, s.names.Token(r.user)), pipe.PTTL(ctx, s.names.Token(r.user))
	_, _ = pipe.Exec(ctx) // each command carries its own error
	if stored, err = readText(get); err != nil {
		return false, "", err
	}
	if stored != r.spelled {
		return false, stored, s.markDead(ctx, r)
	}
	if err := s.writeCopy(ctx, r, left.Val(), replaceAny); err != nil {
		return false, "", err
	}
	return parseDeleted(deleteScript.Run(ctx, s.rdb, []string{s.names.Token(r.user)}, r.spelled))
}

func parseDeleted(cmd *redis.Cmd) (removed bool, stored string, err error) {
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

// readText returns the result of a GET; "" without a value and for a key of another type.
func readText(get *redis.StringCmd) (string, error) {
	text, err := get.Result()
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return "", nil
	}
	return text, err
}
