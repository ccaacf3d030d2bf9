package queue

import (
	"errors"
	"fmt"
	"time"

	"fanfare/internal/keys"
)

// The defaults of Options.
const (
	DefaultLease      = 15 * time.Second
	DefaultMaxElement = 64 << 10
	DefaultClaimBytes = 4 << 20
	DefaultLinger     = 7 * 24 * time.Hour
)

// Kept is how long a list is kept beyond its deadline while it has a campaign: for good. It is an expiry all the same, by which the
// scripts tell a list that was guarded from one that a producer has written since.
const Kept = 10 * 365 * 24 * time.Hour

// Options of a Queue; a zero field takes its default.
type Options struct {
	Lease      time.Duration // how long a claim is kept without an Extend; whole milliseconds
	MaxElement int           // bytes; a longer element of the producer's is handed out marked Oversize
	ClaimBytes int           // bytes in one claim, unless its first element alone is longer
	Linger     time.Duration // how far beyond the producer's expiry the list itself is kept

	// Emit is the key of the list that Settle appends payloads to; empty where nothing is emitted.
	Emit string
	// Direct is the key of a list that Settle appends payloads to instead, unless that key holds another type. It may be in
	// another slot, and so is for a Redis that is no cluster.
	Direct string

	// GateKey is the key of a hash, and Gate are fields of it: unless each has its value, Claim hands out nothing new.
	GateKey string
	Gate    []Field
}

// Field of a hash; one that is absent has the value "".
type Field struct{ Name, Value string }

func (o Options) withDefaults() Options {
	if o.Lease == 0 {
		o.Lease = DefaultLease
	}
	if o.MaxElement == 0 {
		o.MaxElement = DefaultMaxElement
	}
	if o.ClaimBytes == 0 {
		o.ClaimBytes = DefaultClaimBytes
	}
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	return o
}

func (o Options) validate(l keys.List) error {
	switch {
	case o.Lease < time.Millisecond:
		return fmt.Errorf("lease of %s is shorter than a millisecond", o.Lease)
	case o.MaxElement < 1:
		return fmt.Errorf("maximum element of %d bytes is not positive", o.MaxElement)
	case o.ClaimBytes < 1:
		return fmt.Errorf("claim of %d bytes is not positive", o.ClaimBytes)
	case o.Linger < 0:
		return fmt.Errorf("linger of %s is negative", o.Linger)
	case len(o.Gate) > 0 && o.GateKey == "":
		return errors.New("gate has fields, and no key that they are in")
	case o.Direct != "" && o.Emit == "":
		return fmt.Errorf("payloads for %q have nowhere to go while that holds another type", o.Direct)
	}
	for _, key := range []string{o.Emit, o.GateKey} {
		if key != "" && keys.HashTag(key) != keys.HashTag(l.Plain()) {
			return fmt.Errorf("key %q is not in the cluster slot of %q", key, l.Plain())
		}
	}
	return nil
}
