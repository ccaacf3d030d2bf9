package operator

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"

	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// lookupBatch is how many users' tokens are looked up together. As many letters as are kept by
// default take at most ten queries of SQL.
const lookupBatch = responses.DefaultMaxLetters / 10

// WouldReplay returns what Replay would do, and changes nothing.
func (o *Operator) WouldReplay(ctx context.Context, filter responses.Filter) (ReplaySummary, error) {
	c := newReplayCount(o)
	for letter, err := range o.deps.DeadLetters.List(ctx, filter) {
		if err != nil {
			return c.summary, fmt.Errorf("read dead letters: %w", err)
		}
		ask, err := c.add(ctx, letter)
		if err != nil {
			return c.summary, err
		}
		if !ask {
			continue
		}
		if c.asked = append(c.asked, askedLetter{letter.ID, letter.Result.UserID}); len(c.asked) < lookupBatch {
			continue
		}
		if err := c.lookUp(ctx); err != nil {
			return c.summary, err
		}
	}
	err := c.lookUp(ctx)
	return c.summary, err
}

// EstimateReplay is WouldReplay for letters that the caller has read. Of many it looks up the
// tokens of a sample, so that a person who asks does not wait. exact reports that it looked up all.
func (o *Operator) EstimateReplay(ctx context.Context, letters iter.Seq[responses.DeadLetter]) (would ReplaySummary, exact bool, err error) {
	c, all := newReplayCount(o), 0
	for letter := range letters {
		ask, err := c.add(ctx, letter)
		if err != nil {
			return c.summary, false, err
		}
		if !ask {
			continue
		}
		if all++; len(c.asked) < lookupBatch {
			c.asked = append(c.asked, askedLetter{letter.ID, letter.Result.UserID})
		} else if i := rand.IntN(all); i < lookupBatch { // reservoir sampling (Vitter's algorithm R)
			c.asked[i] = askedLetter{letter.ID, letter.Result.UserID}
		}
	}
	if exact = all <= lookupBatch; exact {
		err = c.lookUp(ctx)
	} else {
		err = c.estimate(ctx, int64(all))
	}
	return c.summary, exact, err
}

// replayCount counts what a replay would do. It asks for each campaign once, and for the tokens of
// all campaigns together.
type replayCount struct {
	o       *Operator
	counted map[string]bool // ids of letters
	accepts map[string]bool // by campaign
	asked   []askedLetter
	summary ReplaySummary
}

// askedLetter is what the look-up of a letter's token needs.
type askedLetter struct{ id, user string }

func newReplayCount(o *Operator) *replayCount {
	return &replayCount{o: o, counted: make(map[string]bool), accepts: make(map[string]bool)}
}

// add counts a letter, or reports that the token of its user has to be looked up.
func (c *replayCount) add(ctx context.Context, letter responses.DeadLetter) (ask bool, err error) {
	id := destination(letter)
	if id == "" {
		c.count(letter.ID)
		return false, nil
	}
	takes, known := c.accepts[id]
	if !known {
		if takes, err = accepts(c.o.deps.Campaigns.Get(ctx, id)); err != nil {
			return false, fmt.Errorf("replay%s: %w", describeDestination(id), err)
		}
		c.accepts[id] = takes
	}
	switch {
	case !takes:
		c.summary.Skipped++
	case letter.Kind != responses.KindRecipient:
		c.count(letter.ID)
	default:
		return true, nil
	}
	return false, nil
}

// count counts a letter that would be sent again, unless a copy of it was counted.
func (c *replayCount) count(id string) {
	if !c.counted[id] {
		c.counted[id] = true
		c.summary.Replayed++
	}
}

// lookUp counts the letters whose users' tokens were not looked up yet.
func (c *replayCount) lookUp(ctx context.Context) error {
	if len(c.asked) == 0 {
		return nil
	}
	users := make([]string, len(c.asked))
	for i, letter := range c.asked {
		users[i] = letter.user
	}
	found, err := c.o.deps.Tokens.Peek(ctx, users)
	if err != nil {
		return err
	}
	for i, letter := range c.asked {
		if tokens.Newest(found[users[i]]).IsSendable() {
			c.count(letter.id)
		} else {
			c.summary.NoToken++
		}
	}
	c.asked = c.asked[:0]
	return nil
}

// estimate counts all letters that need a token by the share of the sample that can be sent to, in
// whole percent.
func (c *replayCount) estimate(ctx context.Context, all int64) error {
	sample := replayCount{o: c.o, counted: make(map[string]bool), asked: c.asked}
	if err := sample.lookUp(ctx); err != nil {
		return err
	}
	with, without := float64(sample.summary.Replayed), float64(sample.summary.NoToken)
	replayed := int64(math.Round(100*with/(with+without)) / 100 * float64(all))
	c.summary.Replayed += replayed
	c.summary.NoToken += all - replayed
	return nil
}
