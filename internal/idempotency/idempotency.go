// Package idempotency remembers the answers to requests by their Idempotency-Key. A client that
// repeats a request gets the first answer, and the request acts once.
//
// Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
package idempotency

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/periodic"
)

const (
	// answerTTL is how long an answer is kept. A client gives up repeating long before.
	answerTTL = 24 * time.Hour
	// runningTTL is how long a request counts as running after its process has died.
	runningTTL = 10 * time.Minute
	// MaxKey is the longest key in bytes.
	MaxKey = 255
)

var (
	// ErrRunning means that the first request with this key has not been answered yet.
	ErrRunning = errors.New("a request with this Idempotency-Key is still running: repeat it later")
	// ErrDifferent means that the key was used for another request.
	ErrDifferent = errors.New("this Idempotency-Key was used for a different request: use another key")
)

// Answer is what a request was answered with.
type Answer struct {
	Status int    `json:"status"`
	Type   string `json:"type"` // its Content-Type
	Body   []byte `json:"body"`
	// Upload is a hash of the request's body if that is too long to be read beforehand, or "".
	Upload string `json:"upload,omitempty"`
}

// entry is what Redis keeps of a request.
type entry struct {
	Request string  `json:"request"` // a hash of the request
	Owner   string  `json:"owner"`   // who runs it
	Answer  *Answer `json:"answer,omitempty"`
}

// Store keeps answers in Redis, for all processes. It is safe for concurrent use.
type Store struct {
	rdb   redis.UniversalClient
	names keys.Names
}

// New returns the answers of one Redis. It makes no call.
func New(rdb redis.UniversalClient, names keys.Names) *Store { return &Store{rdb, names} }

// Claim is the right to run a request and to answer it.
type Claim struct {
	store *Store
	key   string
	entry entry
}

// Begin returns the answer to a request that was answered before, or the claim to run it. request
// is everything that distinguishes it, such as its method, path and body. It returns ErrRunning or
// ErrDifferent.
func (s *Store) Begin(ctx context.Context, key, request string) (*Answer, *Claim, error) {
	c := &Claim{s, s.names.Request(hash(key)), entry{Request: hash(request), Owner: rand.Text()}}
	for range 2 { // an entry may expire between the two commands
		set, err := c.write(ctx, redis.SetArgs{Mode: "NX", TTL: runningTTL})
		if err != nil {
			return nil, nil, err
		}
		if set {
			return nil, c, nil
		}
		found, err := c.read(ctx)
		switch {
		case err != nil:
			return nil, nil, err
		case found == nil:
			continue
		case found.Owner == c.entry.Owner: // the reply to the first attempt was lost
			return nil, c, nil
		case found.Request != c.entry.Request:
			return nil, nil, ErrDifferent
		case found.Answer != nil:
			return found.Answer, nil, nil
		}
		return nil, nil, ErrRunning
	}
	return nil, nil, ErrRunning
}

// Answer keeps the answer for everyone who repeats the request.
func (c *Claim) Answer(ctx context.Context, a Answer) error {
	c.entry.Answer = &a
	_, err := c.write(ctx, redis.SetArgs{TTL: answerTTL})
	return err
}

// Hold keeps the claim of a request that takes long, until ctx ends.
func (c *Claim) Hold(ctx context.Context) {
	periodic.Run(ctx, runningTTL/4, func(ctx context.Context) { _ = c.extend(ctx) }) // the next one may succeed
}

func (c *Claim) extend(ctx context.Context) error {
	ours, err := c.isOurs(ctx)
	if err != nil || !ours {
		return err
	}
	if err := c.store.rdb.PExpire(ctx, c.key, runningTTL).Err(); err != nil {
		return fmt.Errorf("extend idempotency key: %w", err)
	}
	return nil
}

// Release forgets the request, so that it can be repeated: it failed for a reason that may pass. A
// claim that was lost meanwhile is left to its new owner.
func (c *Claim) Release(ctx context.Context) error {
	ours, err := c.isOurs(ctx)
	if err != nil || !ours {
		return err
	}
	if err := c.store.rdb.Del(ctx, c.key).Err(); err != nil {
		return fmt.Errorf("release idempotency key: %w", err)
	}
	return nil
}

// isOurs reports whether this claim still runs the request.
func (c *Claim) isOurs(ctx context.Context) (bool, error) {
	found, err := c.read(ctx)
	return found != nil && found.Owner == c.entry.Owner && found.Answer == nil, err
}

// write reports whether the entry was written.
func (c *Claim) write(ctx context.Context, args redis.SetArgs) (bool, error) {
	text, err := json.Marshal(c.entry)
	if err != nil {
		return false, fmt.Errorf("encode idempotency key: %w", err)
	}
	err = c.store.rdb.SetArgs(ctx, c.key, text, args).Err()
	switch {
	case errors.Is(err, redis.Nil):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("write idempotency key: %w", err)
	}
	return true, nil
}

// read returns nil if there is no entry.
func (c *Claim) read(ctx context.Context) (*entry, error) {
	text, err := c.store.rdb.Get(ctx, c.key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read idempotency key: %w", err)
	}
	var e entry
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("read idempotency key: %w", err)
	}
	return &e, nil
}

// hash is of a fixed length, and safe in the name of a key.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
