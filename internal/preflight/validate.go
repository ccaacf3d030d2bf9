package preflight

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/pacing"
)

// validation is what FCM said of a sample.
type validation struct {
	asked   int
	answers map[fcm.Class]int
	example map[fcm.Class]fcm.Answer // the first of its class
	unasked error                    // why some were not asked
}

// validate has FCM judge the messages, each with a permit of the project's quota.
func (c *Checker) validate(ctx context.Context, id string, candidates []candidate, options Options) validation {
	h := validation{asked: len(candidates), answers: map[fcm.Class]int{}, example: map[fcm.Class]fcm.Answer{}}
	ctx, cancel := context.WithTimeoutCause(ctx, options.Patience, fmt.Errorf("not done within %s", options.Patience))
	defer cancel()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(options.AtOnce)
	// A person waits for it: within this process it goes before everything.
	push := pacing.Push{Campaign: "preflight of " + id, Weight: 1, Priority: campaign.MaxPriority}
	for _, p := range candidates {
		group.Go(func() error {
			if err := options.Pacer.Wait(ctx, push); err != nil {
				return fmt.Errorf("wait for the quota: %w", context.Cause(ctx))
			}
			answer := options.Validator.Validate(ctx, p.message, fcm.Envelope{Target: p.target, Campaign: id, User: p.user})
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			mu.Lock()
			if h.answers[answer.Class]++; h.answers[answer.Class] == 1 {
				h.example[answer.Class] = answer
			}
			mu.Unlock()
			if answer.Class == fcm.Quota && answer.Scope == fcm.QuotaProject {
				return options.Pacer.CloseGate(ctx, answer.RetryAfter, "429 of the project, seen by a preflight")
			}
			return nil
		})
	}
	h.unasked = group.Wait()
	return h
}

// validated is how many messages FCM gave an answer about.
func (h validation) validated() int {
	n := 0
	for class, count := range h.answers {
		switch class {
		case fcm.NotSent, fcm.Ambiguous, fcm.Unavailable, fcm.NotFCM, fcm.Quota, fcm.Credentials:
		default:
			n += count
		}
	}
	return n
}

// dead is the share of dead tokens among those of which FCM said whether they are.
func (h validation) dead() Share {
	return shareOf(h.answers[fcm.Unregistered], h.answers[fcm.Unregistered]+h.answers[fcm.Sent])
}
