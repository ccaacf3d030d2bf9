package breaker

import (
	"context"
	"fmt"
	"strings"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// Reset makes a campaign begin with a canary again and lets all its platforms take part: for one that is resumed after
// its cause was mended. After a canary that had passed, the new one starts some seconds later. No breaker is no error.
func (b *Breakers) Reset(ctx context.Context, campaign keys.List) error {
	b.of(campaign).doubt()
	_, _, err := b.run(ctx, resetScript, campaign, queue.NewClaimID(), hold.Milliseconds(), keep.Milliseconds())
	return wrap("reset breaker of", campaign, err)
}

// PausePlatform keeps a campaign's recipients of one platform back until Reset; other replicas hear of it within a second.
// The breaker does the same by itself when a platform's keys are refused.
func (b *Breakers) PausePlatform(ctx context.Context, campaign keys.List, platform, reason string) error {
	if platform == "" || notification.NormalizePlatform(platform) != platform {
		return wrap("pause platform of", campaign, fmt.Errorf("platform %q is not of 1 to 32 letters a to z, digits and underscores", platform))
	}
	b.of(campaign).doubt()
	_, _, err := b.run(ctx, pauseScript, campaign,
		platform, strings.TrimSpace(reason), queue.NewClaimID(), string(ThirdPartyAuth), keep.Milliseconds())
	return wrap("pause platform of", campaign, err)
}
