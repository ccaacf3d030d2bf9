package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Progress says how far a leased element has come that is not settled yet. If the lease ends before
// the element is settled, the next claim gets it with these Attempts and this State.
type Progress struct {
	Claim    string
	Pos      int
	Attempts int
	State    string // the caller's, without white space; not empty
}

// SaveProgress writes the progress of elements of many claims, each of which stays leased. It
// replaces what was saved before. It leaves out elements that are settled or whose lease is lost.
// saved counts the others. On an error, some may have been written; repeating is harmless.
func (q *Queue) SaveProgress(ctx context.Context, all []Progress) (saved int, err error) {
	for _, p := range all {
		if err := p.validate(); err != nil {
			return 0, q.wrap("save progress in", err)
		}
	}
	for some := range slices.Chunk(all, maxSettlements) {
		keys, args := q.buildProgressCall(some)
		n, err := q.run(ctx, progressScript, keys, args...).Int()
		saved += n
		if err != nil {
			return saved, q.wrap("save progress in", err)
		}
	}
	return saved, nil
}

func (p *Progress) validate() error {
	switch {
	case p.Claim == "":
		return errors.New("progress has no claim")
	case p.Pos < 1 || p.Pos > maxClaim:
		return fmt.Errorf("progress of %s:%d has an invalid position", p.Claim, p.Pos)
	case p.State == "":
		return fmt.Errorf("progress of %s:%d has no state", p.Claim, p.Pos)
	}
	return checkState(p.State)
}

// checkState refuses a state that would end the word it is stored in.
func checkState(state string) error {
	if strings.ContainsAny(state, " \t\r\n\v\f") {
		return errors.New("a progress has white space in its state")
	}
	return nil
}

// buildProgressCall lays out KEYS and ARGV as progress.lua describes them.
func (q *Queue) buildProgressCall(some []Progress) (keys []string, args []any) {
	keys = []string{q.leases, q.counts}
	var claims []string
	elements := make([]any, 0, 3*len(some))
	for _, p := range some {
		at := slices.Index(claims, p.Claim)
		if at < 0 {
			at, claims, keys = len(claims), append(claims, p.Claim), append(keys, q.list.Lease(p.Claim))
		}
		elements = append(elements, at+1, p.Pos, attemptsWord(p.Attempts, p.State))
	}
	args = append(make([]any, 0, 1+len(claims)+len(elements)), len(claims))
	for _, claim := range claims {
		args = append(args, claim)
	}
	return keys, append(args, elements...)
}

// attemptsWord is the second word of a stored element: "<attempts>" or "<attempts>;<progress>".
func attemptsWord(attempts int, state string) string {
	word := strconv.Itoa(max(attempts, 0))
	if state != "" {
		word += ";" + state
	}
	return word
}
