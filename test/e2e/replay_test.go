package e2e

import (
	"fmt"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestReplaysAtOnce starts several replays of the same letters: each recipient gets one message.
func TestReplaysAtOnce(t *testing.T) {
	t.Parallel()
	for _, cluster := range []bool{false, true} {
		t.Run(fmt.Sprint("cluster ", cluster), func(t *testing.T) {
			t.Parallel()
			o := servers.SystemOptions{}
			if cluster {
				o.Redis = servers.RedisCluster(t)
			}
			s, db := newSQLiteSystem(t, o)
			write(t, s, "{campaign:42}:spec")
			const letters = 1000
			buried := make([]any, letters)
			for i := range letters {
				buried[i] = fmt.Sprintf(`{"id":"r%d","kind":"recipient","reason":"refused","at":"2026-01-01T00:00:00.000Z","result":`+
					`{"campaignId":"42","userId":"u%d","status":"failed","errorCode":"INTERNAL","attempts":1,"at":"2026-01-01T00:00:00.000Z","resultId":"r%d"}}`, i, i, i)
				store(t, s, fmt.Sprintf("user:u%d:token", i), fmt.Sprint("ok-", i))
			}
			const dead = "{notification:responses}:dead"
			if err := s.Redis.RPush(t.Context(), dead, buried...).Err(); err != nil {
				t.Fatal(err)
			}

			var replays []*servers.Process
			for range 3 {
				replays = append(replays, s.Start(nil, "fanfare", "dead", "replay", "--campaign", "42"))
			}
			for _, p := range replays {
				p.ExpectExit(0)
			}
			listed, err := s.Redis.LLen(t.Context(), "campaign:42").Result()
			if left := s.Redis.LLen(t.Context(), dead).Val(); err != nil || listed != letters || left != 0 {
				t.Fatalf("%d are listed and %d letters left, error %v; want %d and none", listed, left, err, letters)
			}
			s.Job("42").ExpectExit(0)
			responder := s.Start([]string{"FANFARE_RESPONDER_BATCH=500"}, "responder")
			servers.AwaitSummary(t, db, "42", letters)
			responder.Signal(syscall.SIGTERM)
			responder.ExpectExit(0)
			if c := s.Sim.Counts(); c.Distinct != letters || c.Duplicates != 0 {
				t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, letters)
			}
		})
	}
}
