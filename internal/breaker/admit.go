package breaker

import (
	"context"
	"fmt"
	"strconv"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// Admission is how many recipients a claim may take.
type Admission struct {
	Decision
	// N is at most the wanted number. 0 means that the canary is under way or failed: ask again
	// later.
	N int
	// Round goes into the Report on what is admitted.
	Round int64
	// Probed means that a probe began the round: FCM answered when the last hold ended.
	Probed bool
}

// Admit asks for a claim of up to want recipients. Once the canary has passed it grants all, for at
// most one round trip a second. Until then it grants what is left of the canary. The claim leases
// those admissions until Apply ends them or the lease expires. A repeat with the same claim id
// during the lease grants the same.
func (b *Breakers) Admit(ctx context.Context, campaign keys.List, claim string, want int) (Admission, error) {
	if claim == "" || want < 1 {
		return Admission{}, wrap("admit to", campaign, fmt.Errorf("claim %q of %d recipients", claim, want))
	}
	called, s := b.now(), b.viewOf(campaign)
	if round, probed, paused, ok := s.readTrusted(called); ok {
		return Admission{N: want, Round: round, Probed: probed, Decision: Decision{Paused: paused}}, nil
	}
	p, granted, err := b.run(ctx, admitScript, campaign, claim, want, b.o.Canary, b.o.trial(), b.o.Lease.Milliseconds(), breakerTTL.Milliseconds())
	if err != nil {
		return Admission{}, wrap("admit to", campaign, err)
	}
	n, err := strconv.Atoi(granted)
	if err != nil {
		return Admission{}, wrap("admit to", campaign, redisx.ErrReply)
	}
	asked := p.round
	p, trip, err := b.resolve(ctx, campaign, p, Outage{})
	if err != nil {
		return Admission{}, wrap("evaluate", campaign, err)
	}
	s.update(p, called)
	a := Admission{N: n, Round: p.round, Probed: p.probed, Decision: decide(p, asked, trip)}
	switch {
	case a.Tripped || a.Hold != nil:
		a.N = 0
	case p.passed:
		a.N = want
	}
	return a, nil
}

// Extend renews the leases of claims on the canary, as the queue renews the claims. It is useful
// until the canary has passed, and harmless later.
func (b *Breakers) Extend(ctx context.Context, campaign keys.List, claims ...string) error {
	if _, _, _, passed := b.viewOf(campaign).readTrusted(b.now()); passed || len(claims) == 0 {
		return nil
	}
	args := make([]any, 0, 1+len(claims))
	args = append(args, b.o.Lease.Milliseconds())
	for _, claim := range claims {
		args = append(args, claim)
	}
	key := campaign.Key(keys.SuffixBreaker)
	if err := extendScript.Run(ctx, b.rdb, []string{key}, args...).Err(); err != nil {
		return wrap("extend admissions to", campaign, redisx.AsTypeError(err))
	}
	return nil
}
