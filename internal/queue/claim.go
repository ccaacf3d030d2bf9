package queue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"fanfare/internal/bounds"
	"fanfare/internal/redisx"
)

// maxClaim is how many elements one claim can have: settle.lua takes their positions in two bytes
// each.
const maxClaim = 1<<16 - 1

// Lease is what Claim handed out. Its elements are in the order of the list. There are none when
// there was nothing to claim.
type Lease struct {
	Claim    string
	Elements []Element
	Until    time.Time // local monotonic clock; send nothing after it without an Extend
	Now      time.Time // server's clock
	Deadline time.Time // server's clock; when the producer's list would have expired; zero: never
	Assumed  bool      // the Deadline is a default of Append's caller, not set by the producer
}

// GateClosedError is what Claim returns when a field of the gate does not have its value. It holds
// the value that was found.
type GateClosedError struct{ Field }

func (e *GateClosedError) Error() string {
	return fmt.Sprintf("gate is closed: its %s is %q", e.Name, e.Value)
}

// NewID makes up the id of a claim, or of another call that may be repeated. It is a UUIDv7, so ids
// sort by the time they were made.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Claim leases up to n elements: due retries first, then returned elements, then the list. The
// caller makes up the claim id, which has no white space. Repeating a claim while its lease exists
// returns the same elements and renews the lease. With a *GateClosedError, nothing was handed out.
func (q *Queue) Claim(ctx context.Context, claim string, n int) (Lease, error) {
	if claim == "" || strings.ContainsAny(claim, " \t\r\n") || n < 1 || n > maxClaim {
		return Lease{}, q.wrap("claim from", fmt.Errorf("invalid claim: id %q, %d elements", claim, n))
	}
	keys := make([]string, 0, 8)
	keys = append(keys, q.list.Plain(), q.back, q.retry, q.leases, q.list.Lease(claim), q.counts)
	if q.o.Emit != "" {
		keys = append(keys, q.o.Emit)
	}
	if len(q.o.Gate) > 0 {
		keys = append(keys, q.o.GateKey)
	}
	until := time.Now().Add(q.o.Lease)
	args := make([]any, 0, 9)
	args = append(args, claim, n, q.o.Lease.Milliseconds(), q.o.ClaimBytes, q.o.Linger.Milliseconds())
	for _, field := range q.o.Gate {
		args = append(args, field.Name, field.Value)
	}
	reply, err := q.run(ctx, claimScript, keys, args...).Slice()
	if err != nil {
		return Lease{}, q.wrap("claim from", err)
	}
	lease, err := decodeLease(claim, reply, q.o.MaxElement)
	if err != nil {
		return Lease{}, q.wrap("claim from", err)
	}
	lease.Until = until
	return lease, nil
}

func decodeLease(claim string, reply []any, maxElement int) (Lease, error) {
	if len(reply) == 3 {
		field, ok1 := reply[1].(string)
		found, ok2 := reply[2].(string)
		if !ok1 || !ok2 {
			return Lease{}, redisx.ErrReply
		}
		return Lease{}, &GateClosedError{Field: Field{Name: field, Value: found}}
	}
	if len(reply) != 6 {
		return Lease{}, redisx.ErrReply
	}
	now, ok1 := reply[0].(int64)
	deadline, ok2 := reply[1].(int64)
	fresh, ok3 := reply[2].(string)
	positions, ok4 := reply[3].([]any)
	values, ok5 := reply[4].([]any)
	assumed, ok6 := reply[5].(int64)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 {
		return Lease{}, redisx.ErrReply
	}
	elements, err := decodeElements(claim, fresh, positions, values)
	if err != nil {
		return Lease{}, err
	}
	for i := range elements {
		elements[i].Oversize = len(elements[i].Raw) > maxElement
	}
	return Lease{
		Claim: claim, Elements: elements, Now: time.UnixMilli(now), Deadline: timeOf(deadline), Assumed: assumed != 0,
	}, nil
}

// timeOf returns the moment of a time in milliseconds, and the zero time for 0.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return bounds.Milli(ms)
}
