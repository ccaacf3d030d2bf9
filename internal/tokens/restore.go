package tokens

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// RestoreResult counts the outcomes of a restore.
type RestoreResult struct {
	Restored int64 `json:"restored"`          // tokens that are stored again
	Newer    int64 `json:"newer"`             // addresses in whose place the user has another by now, which stays
	Gone     int64 `json:"gone"`              // named users without a copy that the filter matches
	Invalid  int64 `json:"invalid,omitempty"` // copies of values that cannot be tokens, from an earlier version; they stay
}

// RestoreOptions of a Restore.
type RestoreOptions struct {
	DryRun   bool                // count only
	Progress func(RestoreResult) // receives the counts after some thousand tokens; may be nil
}

// Restore writes tokens that Forget removed back and removes their dead marks. It writes SQL first,
// for users that have no token there (Options.SQL). It then writes Redis, with the token's
// remaining time to live. It never overwrites a newer token in Redis or SQL. It drops a copy once
// its token is back, so an interrupted restore can be repeated.
//
// Addresses of devices return to user:<id>:devices beside those that are there. A token does not
// return if its installation ID is stored by now.
//
// Restore cannot know whether a user logged out after the removal, when there was no token to
// delete. An older result may still wait for the responder, which then clears the token in SQL
// again, but not in Redis. Let the responder catch up before a restore.
//
// On failure Restore returns what it did so far beside the error.
func (s *Store) Restore(ctx context.Context, f Filter, o RestoreOptions) (RestoreResult, error) {
	var sum RestoreResult
	seen := make(map[string]bool)
	err := s.VisitRemoved(ctx, f, func(some []RemovedToken) error {
		for _, r := range some {
			if len(f.Users) > 0 {
				seen[r.User] = true
			}
		}
		all := len(some)
		some = slices.DeleteFunc(some, func(r RemovedToken) bool { return !r.Token.IsSendable() })
		sum.Invalid += int64(all - len(some))
		restored, err := s.restore(ctx, some, o.DryRun)
		sum.Restored += restored
		if err != nil {
			return err
		}
		sum.Newer += int64(len(some)) - restored
		if o.Progress != nil {
			o.Progress(sum)
		}
		return nil
	})
	if err != nil {
		return sum, fmt.Errorf("restore tokens: %w", err)
	}
	sum.Gone = int64(max(0, len(f.uniqueUsers())-len(seen)))
	return sum, nil
}

// CanRestoreSQL reports whether Restore also writes SQL.
func (s *Store) CanRestoreSQL() bool { return s.opts.SQL != nil }

// restore writes some addresses back and returns how many. The other users have newer ones.
func (s *Store) restore(ctx context.Context, some []RemovedToken, dryRun bool) (int64, error) {
	var tokens, devices []RemovedToken
	for _, r := range some {
		if r.device == nil {
			tokens = append(tokens, r)
		} else {
			devices = append(devices, r)
		}
	}
	restored, err := s.restoreThrough(ctx, tokens, dryRun, s.dropNewer, s.putBack, s.dropCopies)
	if err != nil {
		return restored, err
	}
	more, err := s.restoreThrough(ctx, devices, dryRun, s.dropReplaced, s.putBackDevices, s.dropDeviceCopies)
	return restored + more, err
}

// restoreThrough restores what drop leaves: to SQL, then to Redis with putBack. It then ends with
// dropCopies.
func (s *Store) restoreThrough(ctx context.Context, some []RemovedToken, dryRun bool,
	drop, putBack func(context.Context, []RemovedToken) ([]RemovedToken, error), dropCopies func(context.Context, []RemovedToken) error,
) (int64, error) {
	if len(some) == 0 {
		return 0, nil
	}
	due, err := drop(ctx, some)
	if err != nil || dryRun || len(due) == 0 {
		return int64(len(due)), err
	}
	if s.opts.SQL != nil {
		tokens := make(map[string][]string, len(due))
		for _, r := range due {
			tokens[r.User] = append(tokens[r.User], r.Token.Value)
		}
		if err := s.opts.SQL.RestoreTokens(ctx, tokens); err != nil {
			return 0, fmt.Errorf("write SQL: %w", err)
		}
	}
	there, err := putBack(ctx, due)
	if err != nil {
		return int64(len(there)), fmt.Errorf("write Redis: %w", err)
	}
	if err := dropCopies(ctx, there); err != nil {
		return int64(len(there)), fmt.Errorf("drop copies: %w", err)
	}
	return int64(len(there)), nil
}

// dropNewer drops the copies of users that have another token in Redis or SQL.
func (s *Store) dropNewer(ctx context.Context, some []RemovedToken) ([]RemovedToken, error) {
	users := make([]string, len(some))
	for i, r := range some {
		users[i] = r.User
	}
	inRedis, err := s.readTexts(ctx, s.names.Token, users)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	var inSQL map[string]string
	if s.source != nil {
		if inSQL, err = s.source.Tokens(ctx, users); err != nil {
			return nil, fmt.Errorf("read tokens in SQL: %w", err)
		}
	}
	other := func(stored string, r RemovedToken) bool {
		t := notification.ParseToken(stored)
		return !t.IsZero() && !t.IsSame(r.Token)
	}
	due := make([]RemovedToken, 0, len(some))
	for i, r := range some {
		if !other(inRedis[i], r) && !other(inSQL[r.User], r) {
			r.storedText = inRedis[i]
			due = append(due, r)
		}
	}
	return due, nil
}

// putBack stores tokens in Redis unless another one is there by now. It returns those that are
// there.
func (s *Store) putBack(ctx context.Context, due []RemovedToken) (there []RemovedToken, err error) {
	pipe := s.rdb.Pipeline()
	puts := make([]*redis.Cmd, len(due))
	for i, r := range due {
		puts[i] = pipe.Eval(ctx, putBackText, []string{s.names.Token(r.User)}, cmp.Or(r.storedText, r.Token.Value), r.ttl.Milliseconds())
	}
	_, err = pipe.Exec(ctx)
	for i, put := range puts {
		if n, failed := put.Int(); failed == nil && n == 1 {
			there = append(there, due[i])
		}
	}
	return there, err
}

// dropCopies deletes the copies and marks of tokens that are stored again.
func (s *Store) dropCopies(ctx context.Context, there []RemovedToken) error {
	pipe := s.rdb.Pipeline()
	for _, r := range there {
		pipe.Eval(ctx, dropCopyText, []string{s.names.NoToken(r.User), s.names.RemovedToken(r.User)}, r.Token.Value, r.text)
	}
	_, err := pipe.Exec(ctx)
	return err
}
