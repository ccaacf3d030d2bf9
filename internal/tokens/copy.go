package tokens

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/notification"
)

// Removed is the copy that is kept of a removed token.
type Removed struct {
	User     string
	Token    notification.Target
	Campaign string    // whose push proved it dead; "" if none did
	At       time.Time // of the removal, by Redis's clock

	ttl  time.Duration // how long the token had to live; not above zero: for ever
	text string        // the copy as it stands in Redis
	held string        // the same token as Redis holds it again; "" where it does not
}

// copied is a copy's JSON. Its order is that of head.
type copied struct {
	Token    string `json:"token"`
	Campaign string `json:"campaign"`
	At       int64  `json:"at"`  // ms
	TTL      int64  `json:"ttl"` // ms; 0: for ever
}

// begin is how the JSON of every copy of this token begins.
func (r removal) begin() string { return `{"token":` + quote(r.token) + `,` }

// head is the copy's JSON as far as it is known before Redis tells the time.
func (r removal) head() string { return r.begin() + `"campaign":` + quote(r.campaign) }

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

func readCopy(user, text string) (Removed, error) {
	var c copied
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Removed{}, fmt.Errorf("read removed token of %q: %w", user, err)
	}
	return Removed{
		User: user, Token: notification.ParseToken(c.Token), Campaign: c.Campaign, At: bounds.Milli(c.At),
		ttl: bounds.Span(c.TTL), text: text,
	}, nil
}

// Which copies a new one may replace; see keep.lua.
const (
	replaceAny   = "any"
	replaceOther = "other"
	replaceNone  = "none"
)

// keep marks a token as dead and writes its copy. ttl is how long it would have to live in Redis once it is restored; not
// above zero: for ever.
func (s *Store) keep(ctx context.Context, r removal, ttl time.Duration, replace string) error {
	return s.runKeep(ctx, r, s.keepFor(), ttl, replace)
}

// mark marks a token as dead only.
func (s *Store) mark(ctx context.Context, r removal) error {
	return s.runKeep(ctx, r, 0, 0, replaceNone)
}

func (s *Store) runKeep(ctx context.Context, r removal, keep, ttl time.Duration, replace string) error {
	keys := []string{s.names.NoToken(r.user), s.names.RemovedToken(r.user)}
	return keepScript.Run(ctx, s.rdb, keys, r.token, deadTTL.Milliseconds(), r.head(), keep.Milliseconds(),
		ttl.Milliseconds(), r.begin(), replace).Err()
}

// keepFor is how long a copy is kept; zero: there is to be none.
func (s *Store) keepFor() time.Duration { return max(0, s.opts.Keep) }
