package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// forget removes the tokens of n users as a campaign's pushes do.
func (f fixture) forget(campaign string, n int) {
	f.Helper()
	for i := range n {
		user, token := fmt.Sprint(campaign, "-", i), notification.ParseToken("t"+fmt.Sprint(i))
		ok(f.T, f.deps.Tokens.Set(f.Context(), user, token))
		_, err := f.deps.Tokens.Forget(f.Context(), user, token, campaign)
		ok(f.T, err)
	}
}

func TestRemovedTokensAreCounted(t *testing.T) {
	f := open(t)
	f.forget("42", 3)
	f.forget("43", 1)
	found, err := f.RemovedTokens(t.Context(), tokens.Filter{}, 2)
	ok(t, err)
	equal(t, "total", found.Total, 4)
	equal(t, "listed", len(found.Newest), 2)
	if found.Newest[0].At.Before(found.Newest[1].At) {
		t.Errorf("%v comes before %v", found.Newest[0].At, found.Newest[1].At)
	}
	byCampaign := make(map[string]int64) // two rows if the hour ended meanwhile
	for _, count := range found.Counts {
		byCampaign[count.Campaign] += count.Tokens
		equal(t, "hour", count.Hour, count.Hour.Truncate(time.Hour))
	}
	equal(t, "by campaign", fmt.Sprint(byCampaign), "map[42:3 43:1]")

	none, err := f.RemovedTokens(t.Context(), tokens.Filter{Campaign: "44"}, 2)
	ok(t, err)
	equal(t, "of another campaign", none.Total, 0)
}

// Removals are counted by hour.
func TestRemovedTokensAreCountedByTheHour(t *testing.T) {
	f := open(t)
	at := time.Date(2030, 1, 1, 5, 30, 0, 0, time.UTC)
	removed := fmt.Sprintf(`{"token":"gone","campaign":"42","at":%d,"ttl":0}`, at.UnixMilli())
	ok(t, f.rdb.Set(t.Context(), keys.Default().RemovedToken("u1"), removed, 0).Err())
	found, err := f.RemovedTokens(t.Context(), tokens.Filter{}, 1)
	ok(t, err)
	equal(t, "counts", len(found.Counts), 1)
	equal(t, "hour", found.Counts[0].Hour.UTC(), at.Truncate(time.Hour))
}

func TestTokensAreRestored(t *testing.T) {
	f := open(t)
	f.forget("42", 3)
	ok(t, f.deps.Tokens.Set(t.Context(), "42-1", notification.ParseToken("new")))
	filter := tokens.Filter{Users: []string{"42-0", "42-1", "stranger"}}
	for _, dryRun := range []bool{true, false} {
		summary, err := f.RestoreTokens(t.Context(), filter, tokens.RestoreOptions{DryRun: dryRun})
		ok(t, err)
		equal(t, "what was done", summary.RestoreResult, tokens.RestoreResult{Restored: 1, Newer: 1, Gone: 1})
		text, err := json.Marshal(summary)
		ok(t, err)
		want := fmt.Sprintf(`{"restored":1,"newer":1,"gone":1,"dryRun":%v,"sql":false,"waitingResults":0,"seconds":`, dryRun)
		equal(t, "JSON", string(text)[:min(len(want), len(text))], want)
	}
	got, err := f.rdb.MGet(t.Context(), "user:42-0:token", "user:42-1:token", "user:42-2:token").Result()
	ok(t, err)
	equal(t, "tokens", fmt.Sprint(got), "[t0 new <nil>]")
}

// noSQL is a database where every restore succeeds.
type noSQL struct{}

func (noSQL) RestoreTokens(context.Context, map[string][]string) error { return nil }

func TestResultsThatWaitAreTold(t *testing.T) {
	f := open(t)
	var err error
	f.deps.Tokens, err = tokens.New(f.rdb, keys.Default(), nil, tokens.Options{SQL: noSQL{}})
	ok(t, err)
	ok(t, f.rdb.RPush(t.Context(), "notification:responses", "1", "2").Err())
	results, err := responses.NewQueue(f.rdb, keys.Default(), 0)
	ok(t, err)
	_, err = results.Claim(t.Context(), queue.NewID(), 1) // by a responder
	ok(t, err)
	summary, err := f.RestoreTokens(t.Context(), tokens.Filter{Campaign: "42"}, tokens.RestoreOptions{})
	ok(t, err)
	equal(t, "waiting", summary.Waiting, 2)
	equal(t, "SQL", summary.SQL, true)
}

func TestARestoreThatIsInterrupted(t *testing.T) {
	f := open(t)
	f.forget("42", 2500)
	ctx, interrupt := context.WithCancel(t.Context())
	summary, err := f.RestoreTokens(ctx, tokens.Filter{}, tokens.RestoreOptions{Progress: func(tokens.RestoreResult) { interrupt() }})
	mentions(t, err, fmt.Sprintf("%d tokens are restored; repeating it does no harm", summary.Restored))
	if !errors.Is(err, context.Canceled) || summary.Restored == 0 {
		t.Errorf("got %+v, %v", summary, err)
	}
	rest, err := f.RestoreTokens(t.Context(), tokens.Filter{}, tokens.RestoreOptions{})
	ok(t, err)
	equal(t, "in all", summary.Restored+rest.Restored, 2500)
	equal(t, "keys", f.rdb.DBSize(t.Context()).Val(), 2500)
}

func TestARestoreWithoutRedis(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	_, err := operatorOn(t, rdb).RestoreTokens(t.Context(), tokens.Filter{}, tokens.RestoreOptions{})
	mentions(t, err, "restore tokens", "scan for removed tokens")
}
