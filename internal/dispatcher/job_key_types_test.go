package dispatcher

import (
	"errors"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// A Job ends for a key of another type that only its claims read. It would wait for ever for a
// person to fix it.
func TestJobEndsForAKeyThatItsClaimsRead(t *testing.T) {
	for _, suffix := range []string{keys.SuffixBack, keys.SuffixRetry, keys.SuffixLeases} {
		w := newWorld(t)
		w.campaign(campaign.Spec{ID: "42"}, audience(3)...)
		key := "{campaign:42}:" + suffix
		w.redis.HSet(key, "field", "value")
		err := w.job("42")
		if wrong, is := errors.AsType[*redisx.TypeError](err); !is || wrong.Key != key {
			t.Errorf("wrong type of %s: %v", key, err)
		}
		if w.sender.total() != 0 {
			t.Errorf("wrong type of %s: %d pushes", key, w.sender.total())
		}
	}
}
