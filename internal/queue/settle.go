package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// settleAtOnce bounds one script, which blocks Redis while it runs; about a millisecond's work.
const settleAtOnce = 1000

// Settle ends elements or puts them off, for many claims at once. An element whose lease is lost, or that is settled
// already, is left out, so that repeating is harmless; applied counts the others. When a reply was lost on the way,
// the client's own repetition finds everything settled: a low count alone proves no loss.
// On an error, some of the settlements may have been applied.
func (q *Queue) Settle(ctx context.Context, settlements []Settlement) (applied int, err error) {
	for i := range settlements {
		if err := q.checkSettlement(&settlements[i]); err != nil {
			return 0, q.wrap("settle in", err)
		}
	}
	for some := range slices.Chunk(grouped(settlements), settleAtOnce) {
		keys, args := q.settleCall(some)
		n, err := q.run(ctx, settleScript, keys, args...).Int()
		applied += n
		if err != nil {
			return applied, q.wrap("settle in", err)
		}
	}
	return applied, nil
}

// Direct tells that payloads go where they belong at once, and that nobody has to forward them.
func (q *Queue) Direct() bool { return q.o.Direct != "" }

func (q *Queue) checkSettlement(s *Settlement) error {
	switch {
	case s.Claim == "":
		return errors.New("settlement without a claim")
	case s.Pos < 0 || s.Pos > maxClaim:
		return fmt.Errorf("settlement of %s:%d, which is no position in a claim", s.Claim, s.Pos)
	case !s.Later && s.Status == "":
		return fmt.Errorf("settlement of %s:%d without a status", s.Claim, s.Pos)
	case !s.Later && len(s.Emit) > 0 && q.o.Emit == "":
		return fmt.Errorf("settlement of %s:%d has a payload, but there is no list to emit it to", s.Claim, s.Pos)
	}
	return nil
}
