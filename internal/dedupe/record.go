// Package dedupe records which element of a campaign owns which address, so that a campaign sends
// once to each.
//
// An element takes its addresses before it is sent to. The first element owns an address. It finds
// itself the owner again after a retry, a lost lease or the death of its process, because its id
// stays the same. It gives the address up if it ends without a push that FCM may have accepted.
//
// Redis holds 6 bytes of each address' hash and 4 bytes of its owner's, in hashes of about 64.
// Redis keeps such hashes as compact lists. BenchmarkMemory measures them.
package dedupe

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

var (
	lua           = redisx.NewLua(files)
	levelsScript  = lua.Script("levels")
	takeScript    = lua.Script("take")
	releaseScript = lua.Script("release")
)

const (
	// TTL is the expiry of buckets while the campaign has not ended. It is renewed by half, so an
	// address is remembered for 30 days at least.
	TTL = 60 * 24 * time.Hour
	// perBucket is how many addresses a bucket has at most when the audience is as large as it was
	// at the first use. Redis keeps a hash of up to 512 fields compact.
	perBucket = 64
	// maxBits limits the buckets of a level to 16 million: enough for a billion addresses.
	maxBits = 24
	// atOnce limits one script to less than a millisecond, because it blocks Redis while it runs.
	atOnce = 500
)

// errGone is the error of calls for a campaign that was deleted.
var errGone = errors.New("the campaign has no spec")

// Address is one address that an element takes, or gives up.
type Address struct {
	Element string // the id of the element, which stays through retries and losses
	Claim   string // the element's lease; only for Release
	Text    string // what is sent to once: an address, or the name of a user
}

// Record is the record of one campaign. It is safe for concurrent use.
type Record struct {
	rdb  redis.UniversalClient
	list keys.List
	size func(context.Context) (int64, error)

	mu     sync.Mutex
	levels levels // as last known; empty: unknown
}

// New returns the record of a campaign. It makes no call. size returns how many recipients are
// known; it is called once for a new record, to choose the number of buckets.
func New(rdb redis.UniversalClient, list keys.List, size func(context.Context) (int64, error)) *Record {
	return &Record{rdb: rdb, list: list, size: size}
}

// Take records the owner of each address that has none. It returns for each address whether its
// element owns it. Of equal addresses in one call, the first one is taken. Repeating a call gives
// the same answer. After an error, some of the addresses may be taken.
func (r *Record) Take(ctx context.Context, addresses []Address) ([]bool, error) {
	owned := make([]bool, 0, len(addresses))
	for some := range slices.Chunk(addresses, atOnce) {
		marks, err := r.run(ctx, takeScript, func(l levels) ([]string, []any) { return r.takeCall(l, some) })
		if err != nil {
			return nil, r.wrap("take addresses of", err)
		}
		if len(marks) != len(some) {
			return nil, r.wrap("take addresses of", redisx.ErrReply)
		}
		for _, mark := range []byte(marks) {
			owned = append(owned, mark == '1')
		}
	}
	return owned, nil
}

// Release gives up addresses of elements that ended without a push that FCM may have accepted. Call
// it before the element is settled: an address whose owner has lost its lease is left alone.
// Repeating is harmless.
func (r *Record) Release(ctx context.Context, addresses []Address) error {
	for some := range slices.Chunk(addresses, atOnce) {
		_, err := r.run(ctx, releaseScript, func(l levels) ([]string, []any) { return r.releaseCall(l, some) })
		if err != nil {
			return r.wrap("release addresses of", err)
		}
	}
	return nil
}

// maxStale is how often a call is repeated because the levels have changed meanwhile.
const maxStale = 5

// run calls a script that returns the levels and a text. If the levels are not those that the call
// was made for, nothing happened, and it is made again.
func (r *Record) run(ctx context.Context, script *redis.Script, call func(levels) ([]string, []any)) (string, error) {
	for range maxStale {
		known, err := r.known(ctx)
		if err != nil {
			return "", err
		}
		names, args := call(known)
		reply, err := r.runScript(ctx, script, names, args).StringSlice()
		switch {
		case err != nil:
			return "", redisx.AsTypeError(err)
		case len(reply) != 2:
			return "", redisx.ErrReply
		case reply[0] == known.text:
			return reply[1], nil
		}
		r.forget(known)
	}
	return "", fmt.Errorf("the levels changed %d times meanwhile", maxStale)
}

// runScript is script.Run, which makes an allocation for each key: here they are as many as
// addresses.
func (r *Record) runScript(ctx context.Context, script *redis.Script, names []string, args []any) *redis.Cmd {
	all := make([]any, 0, 3+len(names)+len(args))
	all = append(all, "evalsha", script.Hash(), len(names))
	for i := range names {
		all = append(all, &names[i])
	}
	cmd := r.rdb.Do(ctx, append(all, args...)...)
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		return script.Eval(ctx, r.rdb, names, args...)
	}
	return cmd
}

// known returns the levels, and asks Redis for them if necessary.
func (r *Record) known(ctx context.Context) (levels, error) {
	r.mu.Lock()
	known := r.levels
	r.mu.Unlock()
	if known.text != "" {
		return known, nil
	}
	recipients, err := r.size(ctx)
	if err != nil {
		return levels{}, err
	}
	text, err := levelsScript.Run(ctx, r.rdb, []string{r.index(), r.list.Key(keys.SuffixSpec)}, bitsFor(recipients), TTL.Milliseconds()).Text()
	if err != nil {
		return levels{}, redisx.AsTypeError(err)
	}
	if text == "" {
		return levels{}, errGone
	}
	if known, err = parseLevels(text); err != nil {
		return levels{}, fmt.Errorf("%w; delete the key %s", err, r.index())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.levels = known
	return known, nil
}

// forget has the levels asked for again.
func (r *Record) forget(stale levels) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.levels.text == stale.text {
		r.levels = levels{}
	}
}

func (r *Record) index() string { return r.list.Key(keys.SuffixAddresses) }

// takeCall lays out KEYS and ARGV as take.lua describes them.
func (r *Record) takeCall(l levels, some []Address) ([]string, []any) {
	p := r.pack(l, some, r.index(), r.list.Key(keys.SuffixSpec))
	return p.names, []any{l.text, TTL.Milliseconds(), p.fields, p.owners}
}

// releaseCall lays out KEYS and ARGV as release.lua describes them.
func (r *Record) releaseCall(l levels, some []Address) ([]string, []any) {
	p := r.pack(l, some, r.index(), r.list.Key(keys.SuffixLeases))
	args := append(make([]any, 0, 3+len(some)), l.text, p.fields, p.owners)
	for i := range some {
		args = append(args, some[i].Claim)
	}
	return p.names, args
}

func (r *Record) wrap(verb string, err error) error {
	return fmt.Errorf("%s %s: %w", verb, r.list.Plain(), err)
}

// levels are the generations of buckets: a record that outgrows one adds another. bits are how many
// bits number the buckets of each.
type levels struct {
	text string
	bits []int
}

func parseLevels(text string) (levels, error) {
	l := levels{text: text}
	for word := range strings.FieldsSeq(text) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 || n > maxBits {
			return levels{}, fmt.Errorf("the record of addresses has the levels %q", text)
		}
		l.bits = append(l.bits, n)
	}
	if len(l.bits) == 0 {
		return levels{}, redisx.ErrReply
	}
	return l, nil
}

// bitsFor returns how many bits number the buckets for so many recipients.
func bitsFor(recipients int64) int {
	buckets := uint64(max(recipients, 1)-1)/perBucket + 1
	return min(bits.Len64(buckets-1), maxBits)
}
