package queue

import (
	"context"
	"slices"
	"strings"

	"fanfare/internal/redisx"
)

// A script blocks Redis while it runs, and a claim has one element or a thousand. So one script
// ends at most maxReleaseClaims claims, and stops once it has moved enoughReleased elements.
const (
	maxReleaseClaims = 64
	enoughReleased   = maxSettlements
)

// Extend renews the lease of each claim, counted from the server's now. It returns the claims whose
// lease is lost. Send nothing more from those: another worker may have their elements.
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

// GiveBack ends claims and returns their unsettled elements to the queue, ahead of all others and
// in the old order. Repeating is harmless: elements counts what this call moved.
func (q *Queue) GiveBack(ctx context.Context, claims ...string) (elements int, err error) {
	elements, err = q.release(ctx, "all", claims)
	return elements, q.wrap("give back to", err)
}

// Reap ends the claims whose lease ran out, as GiveBack does. It adds one to each element's Lost.
func (q *Queue) Reap(ctx context.Context) (elements int, err error) {
	claims, err := q.run(ctx, expiredScript, []string{q.leases}).StringSlice()
	if err != nil {
		return 0, q.wrap("reap", err)
	}
	elements, err = q.release(ctx, "expired", claims)
	return elements, q.wrap("reap", err)
}

// release goes from the newest claim to the oldest. Each goes ahead of the one before, so the
// oldest is served first.
func (q *Queue) release(ctx context.Context, which string, claims []string) (elements int, err error) {
	newest := slices.Clone(claims)
	slices.SortFunc(newest, func(a, b string) int { return strings.Compare(b, a) })
	for left := slices.Compact(newest); len(left) > 0; {
		moved, ended, err := q.releaseSome(ctx, which, left[:min(len(left), maxReleaseClaims)])
		if err != nil {
			return elements, err
		}
		elements, left = elements+moved, left[ended:]
	}
	return elements, nil
}

// releaseSome ends the first of the claims, at least one.
func (q *Queue) releaseSome(ctx context.Context, which string, claims []string) (moved, ended int, err error) {
	keys := append(make([]string, 0, 3+len(claims)), q.leases, q.back, q.counts)
	args := append(make([]any, 0, 2+len(claims)), which, enoughReleased)
	for _, claim := range claims {
		keys = append(keys, q.list.Lease(claim))
		args = append(args, claim)
	}
	reply, err := q.run(ctx, releaseScript, keys, args...).Int64Slice()
	switch {
	case err != nil:
		return 0, 0, err
	case len(reply) != 2 || reply[1] < 1:
		return 0, 0, redisx.ErrReply
	}
	return int(reply[0]), int(reply[1]), nil
}
