package caps

import (
	"crypto/sha256"
	"time"
)

const (
	// shards is how many hashes hold the users. One would be a key of gigabytes for a hundred
	// million users, and each one more is four commands more for each call.
	shards = 16
	// unit is the resolution of an entry's time. It counts until the unit after its window, so a
	// cap is never exceeded, and frees up to one unit late.
	unit = 15 * time.Minute
)

// packed are users as the scripts take them.
type packed struct {
	users [shards][]byte
	order [shards][]int // which of the caller's each one is
}

// add adds a user. It returns the digest of its name.
func (p *packed) add(index int, user string) (shard int) {
	digest := sha256.Sum256([]byte(user))
	shard = int(digest[8] % shards)
	p.users[shard] = append(p.users[shard], digest[:8]...)
	p.order[shard] = append(p.order[shard], index)
	return shard
}

// packElements lays out elements as own_entry describes it. The owner is 20 bits of the hash of the
// campaign and the element. Two elements that reserve for the same user at the same time have the
// same owner once in a million. Both are sent then. The first claim counts as a unit earlier: in a
// cluster, it was timed by another server's clock.
func packElements(some []Element) packed {
	var p packed
	for i, e := range some {
		shard := p.add(i, e.User)
		digest := sha256.Sum256([]byte(e.Campaign + "\x00" + e.ID))
		since := uint32(max(e.Since.Add(-unit).Unix(), 0) / int64(unit/time.Second)) //nolint:gosec // 24 bits last until 2448
		p.users[shard] = append(p.users[shard], digest[0]&15, digest[1], digest[2], byte(since>>16), byte(since>>8), byte(since))
	}
	return p
}

// args appends the users of each shard to the arguments of a script.
func (p *packed) args(args ...any) []any {
	for i := range p.users {
		args = append(args, p.users[i])
	}
	return args
}

// unitsOf returns how many units a window has.
func unitsOf(window time.Duration) int64 { return int64(window / unit) }

// timeOf returns the time of a number of units.
func timeOf(units int64) time.Time { return time.Unix(units*int64(unit/time.Second), 0).UTC() }
