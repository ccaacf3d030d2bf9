package queue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/redisx"
)

// maxClaim is how many elements one claim can hold: settle.lua is told their positions in two bytes each.
const maxClaim = 1<<16 - 1

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
