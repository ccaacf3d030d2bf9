package tokens

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// Restored tells what became of the tokens that were to be restored.
type Restored struct {
	Restored int64 `json:"restored"`          // they are there again
	Newer    int64 `json:"newer"`             // their users have another token by now, which stays
	Gone     int64 `json:"gone"`              // named users of whom no copy is kept that the filter chooses
	Invalid  int64 `json:"invalid,omitempty"` // copies of values that can be no token, which an earlier version made; they stay
}

// RestoreOptions of a Restore.
type RestoreOptions struct {
	DryRun   bool           // only count
	Progress func(Restored) // hears how far it is after some thousand; may be nil
}

// Restore gives users the tokens back that Forget removed, and lifts the mark that they are dead: in SQL first, where
// the user has none there (Options.SQL), then in Redis, with the time that the token had to live when it was removed. A
// token that the application has stored meanwhile, in Redis or in SQL, is never overwritten. The copy is dropped once
// its token is back, so being cut off leaves the rest to be restored by the same call again, which does no harm.
//
// Two things nobody can know here: that an application deleted the token of a user who had none (a log-out after the
// removal), and that a result of before the removal still waits for the responder, which then clears the token in
// SQL once more, though not in Redis. So let the responder catch up first.
//
// Where it fails, what it did by then is returned with the error.
func (s *Store) Restore(ctx context.Context, f Filter, o RestoreOptions) (Restored, error) {
	var sum Restored
	seen := 0
	err := s.Removed(ctx, f, func(some []Removed) error {
		seen += len(some)
		all := len(some)
		some = slices.DeleteFunc(some, func(r Removed) bool { return !r.Token.IsSendable() })
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
	sum.Gone = int64(max(0, len(f.users())-seen))
	return sum, nil
}

// RestoresSQL tells whether Restore writes SQL, too.
func (s *Store) RestoresSQL() bool { return s.opts.SQL != nil }

// restore gives some tokens back, and tells how many; the others' users have newer ones.
func (s *Store) restore(ctx context.Context, some []Removed, dryRun bool) (int64, error) {
	due, err := s.withoutNewer(ctx, some)
	if err != nil || dryRun || len(due) == 0 {
		return int64(len(due)), err
	}
	if s.opts.SQL != nil {
		tokens := make(map[string]string, len(due))
		for _, r := range due {
			tokens[r.User] = r.Token.Value
		}
		if err := s.opts.SQL.RestoreTokens(ctx, tokens); err != nil {
			return 0, fmt.Errorf("write SQL: %w", err)
		}
	}
	there, err := s.put(ctx, due)
	if err != nil {
		return int64(len(there)), fmt.Errorf("write Redis: %w", err)
	}
	if err := s.lift(ctx, there); err != nil {
		return int64(len(there)), fmt.Errorf("drop copies: %w", err)
	}
	return int64(len(there)), nil
}

// withoutNewer leaves out those whose users have another token, in Redis or in SQL.
func (s *Store) withoutNewer(ctx context.Context, some []Removed) ([]Removed, error) {
	users := make([]string, len(some))
	for i, r := range some {
		users[i] = r.User
	}
	inRedis, err := s.texts(ctx, s.names.Token, users)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	var inSQL map[string]string
	if s.source != nil {
		if inSQL, err = s.source.Tokens(ctx, users); err != nil {
			return nil, fmt.Errorf("read tokens in SQL: %w", err)
		}
	}
	other := func(stored string, r Removed) bool {
		t := notification.ParseToken(stored)
		return !t.IsZero() && !t.IsSame(r.Token)
	}
	due := make([]Removed, 0, len(some))
	for i, r := range some {
		if !other(inRedis[i], r) && !other(inSQL[r.User], r) {
			r.held = inRedis[i]
			due = append(due, r)
		}
	}
	return due, nil
}

// put stores tokens in Redis, each only if no other one is there by now, and returns those that are there.
func (s *Store) put(ctx context.Context, due []Removed) (there []Removed, err error) {
	pipe := s.rdb.Pipeline()
	puts := make([]*redis.Cmd, len(due))
	for i, r := range due {
		puts[i] = pipe.Eval(ctx, putText, []string{s.names.Token(r.User)}, cmp.Or(r.held, r.Token.Value), r.ttl.Milliseconds())
	}
	_, err = pipe.Exec(ctx)
	for i, put := range puts {
		if n, failed := put.Int(); failed == nil && n == 1 {
			there = append(there, due[i])
		}
	}
	return there, err
}

// lift drops the copies of tokens that are there, and their marks.
func (s *Store) lift(ctx context.Context, there []Removed) error {
	pipe := s.rdb.Pipeline()
	for _, r := range there {
		pipe.Eval(ctx, liftText, []string{s.names.NoToken(r.User), s.names.RemovedToken(r.User)}, r.Token.Value, r.text)
	}
	_, err := pipe.Exec(ctx)
	return err
}
