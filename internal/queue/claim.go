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

// maxClaim is how many elements one claim can hold: settle.lua is told their positions in two bytes each.
const maxClaim = 1<<16 - 1

// Lease is what Claim handed out. Elements are in the order of the list; none when there was nothing to claim.
type Lease struct {
	Claim    string
	Elements []Element
	Until    time.Time // local and monotonic: before the call, plus the lease; beyond it, send nothing unless extended
	Now      time.Time // server's clock
	Deadline time.Time // server's clock: when the producer's list would have expired; zero if never
	Assumed  bool      // the Deadline is a default of Append's caller, and no producer's word
}

// GateClosedError is what Claim returns when a field of Options' gate has another value than is wanted, and that value.
type GateClosedError struct{ Field }

func (e *GateClosedError) Error() string {
	return fmt.Sprintf("gate is closed: its %s is %q", e.Name, e.Value)
}

// NewClaimID makes up the id of a claim: a UUIDv7, so that claims sort by the time they were made.
func NewClaimID() string { return uuid.Must(uuid.NewV7()).String() }

// Claim leases up to n elements: retries that are due, then what came back, then the list, each in its order.
// The caller makes up the claim id, which holds no white space; repeating a claim while its lease exists returns the
// same elements under a whole lease. A *GateClosedError means that nothing was handed out.
func (q *Queue) Claim(ctx context.Context, claim string, n int) (Lease, error) {
	if claim == "" || strings.ContainsAny(claim, " \t\r\n") || n < 1 || n > maxClaim {
		return Lease{}, q.wrap("claim from", fmt.Errorf("claim %q of %d elements", claim, n))
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
		Claim: claim, Elements: elements, Now: time.UnixMilli(now), Deadline: unixMilli(deadline), Assumed: assumed != 0,
	}, nil
}

// unixMilli is the zero time for 0.
func unixMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return bounds.Milli(ms)
}
