package profiles

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// ErrInSQL refuses to store profiles in Redis when SQL has them: SQL would not be asked any more.
var ErrInSQL = errors.New("profiles are in SQL (store.profile_query)")

// User is a user's profile that an import stores.
type User struct {
	ID      string
	Profile Profile
}

// Import stores the profiles of users in Redis, without an expiry, and returns how many. A user who
// has one there keeps it, so repeating is harmless. It makes one round trip: bound the users of a
// call.
func (c *Cache) Import(ctx context.Context, users []User) (stored int64, err error) {
	if c.inSQL {
		return 0, ErrInSQL
	}
	pipe := c.rdb.Pipeline()
	for _, u := range users {
		text, err := json.Marshal(u.Profile)
		if err != nil {
			return 0, fmt.Errorf("import profile of %q: %w", u.ID, err)
		}
		pipe.SetNX(ctx, c.key(u.ID), text, 0)
	}
	commands, err := pipe.Exec(ctx)
	for _, command := range commands {
		if set, ok := command.(*redis.BoolCmd); ok && set.Val() {
			stored++
		}
	}
	if err != nil {
		return stored, fmt.Errorf("import profiles: %w", err)
	}
	return stored, nil
}

// IsInSQL reports whether SQL has the profiles.
func (c *Cache) IsInSQL() bool { return c.inSQL }
