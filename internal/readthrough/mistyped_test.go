package readthrough

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// The warning repeats until a person fixes the keys, but not with each lookup.
func TestMistypedKeysAreLoggedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		same := func(id string) string { return id }
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
		defer rdb.Close()
		c, err := New(rdb, Keys{same, same}, func(string) (string, error) { return "", errors.New("not asked") }, nil,
			Options{TTL: time.Hour, NegativeTTL: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		for wait, want := range []int{1, 1, 2} {
			<-time.After(time.Duration(wait) * 5 * time.Second) // in synthetic time
			c.logMistyped([]string{"1", "2"})
			if got := strings.Count(log.String(), "count=2"); got != want {
				t.Errorf("look-up %d: logged %d times, want %d", wait+1, got, want)
			}
		}
	})
}
