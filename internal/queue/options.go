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

// GuardTTL is how long a list outlives its deadline while it has a campaign: in practice for good.
// The scripts use it to tell a guarded list from one that a producer has written since, so it is an
// expiry all the same.
const GuardTTL = 10 * 365 * 24 * time.Hour

// Options of a Queue. A zero field takes its default.
type Options struct {
	Lease      time.Duration // how long a claim is kept without an Extend; whole milliseconds
	MaxElement int           // bytes; Claim marks a longer element as Oversize
	ClaimBytes int           // bytes in one claim; the first element may be longer
	Linger     time.Duration // how long the list is kept beyond the producer's expiry

	// Emit is the key of the list that Settle appends payloads to. It is empty where nothing is
	// emitted.
	Emit string
	// Direct is the key of a list that Settle appends payloads to instead, unless that key holds
	// another type. It may be in another slot, so it is not for a Redis Cluster.
	Direct string

	// GateKey is the key of a hash, and Gate lists fields of it. Claim hands out new elements only
	// while each field has its value.
	GateKey string
	Gate    []Field
}

// Field is a field of a hash. An absent one has the value "".
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
		return fmt.Errorf("lease of %s is too short; use at least 1 ms", o.Lease)
	case o.MaxElement < 1:
		return fmt.Errorf("maximum element of %d bytes is too small; use at least 1", o.MaxElement)
	case o.ClaimBytes < 1:
		return fmt.Errorf("claim of %d bytes is too small; use at least 1", o.ClaimBytes)
	case o.Linger < 0:
		return fmt.Errorf("linger of %s is negative; use 0 or more", o.Linger)
	case len(o.Gate) > 0 && o.GateKey == "":
		return errors.New("gate has fields but no key; set GateKey")
	case o.Direct != "" && o.Emit == "":
		return fmt.Errorf("payloads for %q have no fallback list; set Emit", o.Direct)
	}
	for _, key := range []string{o.Emit, o.GateKey} {
		if key != "" && keys.HashTag(key) != keys.HashTag(l.Plain()) {
			return fmt.Errorf("key %q is not in the cluster slot of %q", key, l.Plain())
		}
	}
	return nil
}
