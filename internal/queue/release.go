package queue

import (
	"context"
	"slices"
	"strings"
)

// releaseAtOnce bounds the claims in one script.
const releaseAtOnce = 64

// Extend gives claims their whole lease anew, counted from the server's now. A claim in lost belongs to nobody or to
// somebody else: send nothing more from it.
func (q *Queue) Extend(ctx context.Context, claims ...string) (lost []string, err error) {
	if len(claims) == 0 {
		return nil, nil
	}
	args := append(make([]any, 0, 1+len(claims)), q.o.Lease.Milliseconds())
	for _, claim := range claims {
		args = append(args, claim)
	}
	lost, err = q.run(ctx, extendScript, []string{q.leases}, args...).StringSlice()
	return lost, q.wrap("extend leases of", err)
}

// GiveBack ends claims and puts what is left of them at the head of what is served next, in the old order.
// Repeating is harmless; elements counts what this call moved, as with Settle.
func (q *Queue) GiveBack(ctx context.Context, claims ...string) (elements int, err error) {
	elements, err = q.release(ctx, "all", claims)
	return elements, q.wrap("give back to", err)
}

// Reap takes back the claims whose lease ran out: as GiveBack, and each element's Lost rises by one.
func (q *Queue) Reap(ctx context.Context) (elements int, err error) {
	claims, err := q.run(ctx, expiredScript, []string{q.leases}).StringSlice()
	if err != nil {
		return 0, q.wrap("reap", err)
	}
	elements, err = q.release(ctx, "expired", claims)
	return elements, q.wrap("reap", err)
}

// release goes from the newest claim to the oldest, each ahead of the one before, so that the oldest is served first.
func (q *Queue) release(ctx context.Context, which string, claims []string) (elements int, err error) {
	newest := slices.Clone(claims)
	slices.SortFunc(newest, func(a, b string) int { return strings.Compare(b, a) })
	for some := range slices.Chunk(slices.Compact(newest), releaseAtOnce) {
		keys := append(make([]string, 0, 3+len(some)), q.leases, q.back, q.counts)
		args := append(make([]any, 0, 1+len(some)), which)
		for _, claim := range some {
			keys = append(keys, q.list.Lease(claim))
			args = append(args, claim)
		}
		n, err := q.run(ctx, releaseScript, keys, args...).Int()
		elements += n
		if err != nil {
			return elements, err
		}
	}
	return elements, nil
}
