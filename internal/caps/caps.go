// Package caps limits how many pushes a user gets from all campaigns together, in any window of
// time: "4 in 2d, 10 in 2w".
//
// A dispatcher reserves the users of a claim right before it sends to them: one script checks the
// caps and adds an entry for each user. The entry stays if FCM accepts the message, or may have
// accepted it. In all other cases it is released. An element that is interrupted in between finds
// the entry that it made, because its id stays the same.
//
// An entry is 4 bytes. Users are packed into buckets of about six, and buckets into a few hashes.
// BenchmarkReserve measures the memory and the time.
package caps

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

var (
	lua           = redisx.NewLua(files)
	reserveScript = lua.Script("buckets_prelude", "reserve")
	releaseScript = lua.Script("buckets_prelude", "release")
	findScript    = lua.Script("buckets_prelude", "find")
)

// atOnce limits one script to about a millisecond, because it blocks Redis while it runs.
const atOnce = 500

// Element is one element of a campaign that is sent to a user.
type Element struct {
	User     string
	Campaign string
	ID       string    // of the element, which stays through retries and losses
	Since    time.Time // of its first claim: an earlier entry is not its own
}

// Reservation is what Reserve found of an element.
type Reservation struct {
	// Capped reports that a cap is reached, so that the element may not be sent.
	Capped  bool
	Cap     Cap       // the one of the reached caps that frees last
	FreesAt time.Time // when the user may get a push again
	// HadEntry reports that an earlier call made the element's entry. It stays until it is
	// released, even if a cap is reached now.
	HadEntry bool
}

// Limiter keeps the caps of all users in one Redis. It is safe for concurrent use.
type Limiter struct {
	rdb    redis.UniversalClient
	shards []string
	caps   []Cap
	ttl    time.Duration
	rule   string // the caps as reserve.lua takes them
}

// New returns the limiter for caps that Parse returned. Without caps it returns nil. It makes no
// call.
func New(rdb redis.UniversalClient, names keys.Names, caps []Cap) *Limiter {
	if len(caps) == 0 {
		return nil
	}
	l := &Limiter{rdb: rdb, caps: caps, ttl: caps[len(caps)-1].Window + unit}
	for shard := range shards {
		l.shards = append(l.shards, names.Caps(shard))
	}
	for _, c := range caps {
		l.rule += fmt.Sprintf("%d %d ", c.Count, unitsOf(c.Window))
	}
	return l
}

// Caps returns the caps, the longest window last.
func (l *Limiter) Caps() []Cap { return slices.Clone(l.caps) }

// Reserve adds an entry for the user of each element, unless a cap is reached. It returns what was
// found by the index of the element; those that are missing may be sent, and their entries are new.
// Repeating a call gives the same entries. After an error, some of the entries may have been added.
func (l *Limiter) Reserve(ctx context.Context, elements []Element) (map[int]Reservation, error) {
	var found map[int]Reservation
	for from := 0; from < len(elements); from += atOnce {
		p := packElements(elements[from:min(from+atOnce, len(elements))])
		reply, err := reserveScript.Run(ctx, l.rdb, l.shards, p.args(l.ttl.Milliseconds(), l.rule)...).Int64Slice()
		if err != nil {
			return nil, l.wrap("reserve", err)
		}
		for one := range slices.Chunk(reply, 5) {
			index, r, err := l.readReservation(one, &p)
			if err != nil {
				return nil, err
			}
			if found == nil {
				found = make(map[int]Reservation)
			}
			found[from+index] = r
		}
	}
	return found, nil
}

// readReservation reads what reserve.lua returns of one user.
func (l *Limiter) readReservation(reply []int64, p *packed) (index int, r Reservation, err error) {
	within := func(n int64, length int) bool { return n >= 1 && n <= int64(length) }
	if len(reply) != 5 || !within(reply[0], shards) || !within(reply[1], len(p.order[reply[0]-1])) || !within(reply[2]+1, len(l.caps)+1) {
		return 0, r, l.wrap("reserve", redisx.ErrReply)
	}
	r.HadEntry = reply[4] == 1
	if reply[2] > 0 {
		r.Capped, r.Cap, r.FreesAt = true, l.caps[reply[2]-1], timeOf(reply[3])
	}
	return p.order[reply[0]-1][reply[1]-1], r, nil
}

// Release removes the entries of elements that ended without a push that FCM may have accepted.
// Call it before the element is settled, and only while its lease is held. Repeating is harmless.
func (l *Limiter) Release(ctx context.Context, elements []Element) error {
	for some := range slices.Chunk(elements, atOnce) {
		p := packElements(some)
		if err := releaseScript.Run(ctx, l.rdb, l.shards, p.args(l.ttl.Milliseconds())...).Err(); err != nil {
			return l.wrap("release", err)
		}
	}
	return nil
}

// Usage is what a user has had of one cap.
type Usage struct {
	Cap     Cap
	Used    int       // pushes that count now
	FreesAt time.Time // when the user may get the next push; zero: now
	// OldestUntil is when the oldest of the pushes stops counting; zero without any.
	OldestUntil time.Time
}

// Find returns for each user the usage of each cap. It writes nothing.
func (l *Limiter) Find(ctx context.Context, users []string) ([][]Usage, error) {
	all := make([][]Usage, 0, len(users))
	for some := range slices.Chunk(users, atOnce) {
		var p packed
		for i, user := range some {
			p.add(i, user)
		}
		reply, err := findScript.Run(ctx, l.rdb, l.shards, p.args()...).StringSlice()
		if err != nil {
			return nil, l.wrap("look up", err)
		}
		found, err := l.readUsages(reply, &p, len(some))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// readUsages reads what find.lua returns.
func (l *Limiter) readUsages(reply []string, p *packed, users int) ([][]Usage, error) {
	if len(reply) != users+1 {
		return nil, l.wrap("look up", redisx.ErrReply)
	}
	now, err := strconv.ParseInt(reply[0], 10, 64)
	if err != nil {
		return nil, l.wrap("look up", redisx.ErrReply)
	}
	all, next := make([][]Usage, users), 1
	for _, order := range p.order {
		for _, index := range order {
			times, err := parseTimes(reply[next])
			if err != nil {
				return nil, l.wrap("look up", redisx.ErrReply)
			}
			for _, c := range l.caps {
				all[index] = append(all[index], usageOf(c, now, times))
			}
			next++
		}
	}
	return all, nil
}

func parseTimes(text string) (times []int64, err error) {
	for word := range strings.FieldsSeq(text) {
		at, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read the time of an entry: %w", err)
		}
		times = append(times, at)
	}
	return times, nil
}

// usageOf counts the entries within a cap's window. times are the newest first.
func usageOf(c Cap, now int64, times []int64) Usage {
	u := Usage{Cap: c}
	for _, at := range times {
		if at >= now-unitsOf(c.Window) {
			u.Used++
			u.OldestUntil = timeOf(at + unitsOf(c.Window) + 1)
		}
	}
	if u.Used >= c.Count {
		u.FreesAt = timeOf(times[c.Count-1] + unitsOf(c.Window) + 1)
	}
	return u
}

func (l *Limiter) wrap(verb string, err error) error {
	return fmt.Errorf("%s the caps of users: %w", verb, redisx.AsTypeError(err))
}
