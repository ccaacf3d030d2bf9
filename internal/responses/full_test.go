package responses_test

import (
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/responses"
	"fanfare/test/backends"
)

// A Redis that is full and must not evict still forwards, and its dead letters can be purged.
func TestFullRedis(t *testing.T) {
	b := backends.OpenRedis(t)
	names := ownNames()
	campaign := ownCampaign(t, names)
	all := numbered(50)
	push(t, b.Redis, campaign.Key(keys.SuffixOutbox), all...)
	push(t, b.Redis, names.Responses, "old")
	b.Redis.Expire(t.Context(), names.Responses, time.Hour)
	l := openLetters(t, b, responses.DeadLetterOptions{MaxLetters: 20})
	dead := failed("a", "INTERNAL", 30)
	l.add(dead...)

	b.Fill(t)
	forward(t, openOutbox(t, b.Redis, names, responses.OutboxOptions{Batch: 20}), campaign)
	wantList(t, "responses", elements(t, b.Redis, names.Responses), append([]string{"old"}, all...))
	if ttl := b.Redis.TTL(t.Context(), names.Responses).Val(); ttl != -1 {
		t.Errorf("results expire in %s, want never", ttl)
	}
	if n := l.trim(); n != 10 {
		t.Errorf("trimmed %d letters, want 10", n)
	}
	if n, err := l.Purge(t.Context(), responses.Filter{User: "u15"}); n != 1 || err != nil {
		t.Errorf("purged %d, error %v", n, err)
	}
	wantList(t, "left", l.ids(responses.Filter{}), append(idsOf(dead[10:15]), idsOf(dead[16:])...))
}
