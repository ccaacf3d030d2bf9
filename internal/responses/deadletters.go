package responses

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// The defaults of DeadLetterOptions.
const (
	DefaultMaxLetters = 100_000
	DefaultMaxAge     = 30 * 24 * time.Hour
)

const (
	// suffixDeadCounts is the hash of how many letters were ever dropped by Trim or removed
	// otherwise. The positions of letters depend on it, so it lives as long as the list. No one
	// deletes it.
	suffixDeadCounts = keys.SuffixDead + ":" + keys.SuffixCounts

	pageLetters = 128 // letters read or removed by one script
)

// ErrNoDeadLetter is the error of Get if no letter has the id.
var ErrNoDeadLetter = errors.New("no such dead letter")

// DeadLetterOptions limit the list of dead letters. A zero field takes its default.
type DeadLetterOptions struct {
	MaxLetters int           // how many are kept at most
	MaxAge     time.Duration // how long one is kept at most
}

// DeadLetters is the list of failed recipients and of elements that could not be written. The
// responder appends to it in the script that settles a result. This type does everything else.
type DeadLetters struct {
	rdb   redis.UniversalClient
	names keys.Names
	list  keys.List // of responses
	keys  []string  // the list, and its counts
	o     DeadLetterOptions
}

// NewDeadLetters opens the list. It does not talk to Redis.
func NewDeadLetters(rdb redis.UniversalClient, names keys.Names, o DeadLetterOptions) (*DeadLetters, error) {
	if o.MaxLetters == 0 {
		o.MaxLetters = DefaultMaxLetters
	}
	if o.MaxAge == 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.MaxLetters < 1 || o.MaxAge < time.Second {
		return nil, fmt.Errorf("dead letters: limits of %d letters and %s are too small; use at least 1 letter and 1 s", o.MaxLetters, o.MaxAge)
	}
	list := names.ResponsesList()
	return &DeadLetters{rdb: rdb, names: names, list: list, keys: []string{list.Key(keys.SuffixDead), list.Key(suffixDeadCounts)}, o: o}, nil
}

// position is where a reader of the list stands. See lua/dead_page.lua.
type position struct {
	next    int64
	removed int64
}

func startPosition(newest bool) position {
	if newest {
		return position{next: math.MaxInt32 << 20} // beyond any list, and exact as a Lua number
	}
	return position{}
}

// removedLetter stands for a letter that a cut removal has left. The next removal takes it out of
// the list.
const removedLetter = "\x00removed"

// page is some letters in the requested order, and the server's time.
type page struct {
	letters []DeadLetter
	now     time.Time
}

// read reads up to n letters and moves the position forward. It returns no letters at the end.
func (d *DeadLetters) read(ctx context.Context, at *position, newest bool, n int) (page, error) {
	order := "oldest"
	if newest {
		order = "newest"
	}
	reply, err := deadPageScript.Run(ctx, d.rdb, d.keys, order, at.next, at.removed, n).Slice()
	if err != nil {
		return page{}, fmt.Errorf("read %s: %w", d.keys[0], redisx.AsTypeError(err))
	}
	if len(reply) != 4 {
		return page{}, redisx.ErrReply
	}
	now, ok1 := reply[0].(int64)
	next, ok2 := reply[1].(int64)
	removed, ok3 := reply[2].(int64)
	stored, ok4 := reply[3].([]any)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return page{}, redisx.ErrReply
	}
	first := next
	if !newest {
		first -= int64(len(stored))
	}
	p := page{letters: make([]DeadLetter, len(stored)), now: time.UnixMilli(now)}
	for i, element := range stored {
		text, ok := element.(string)
		if !ok {
			return page{}, redisx.ErrReply
		}
		if text == removedLetter {
			p.letters[i].isGap = true
		} else if p.letters[i], err = DecodeDeadLetter([]byte(text)); err != nil {
			p.letters[i] = foreignLetter(text, err)
		}
		p.letters[i].position, p.letters[i].removed = first+int64(i), removed
	}
	if newest {
		slices.Reverse(p.letters)
	}
	*at = position{next: next, removed: removed}
	return p, nil
}
