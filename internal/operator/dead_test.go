package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// bury appends dead letters as the responder does.
func (f fixture) bury(letters ...responses.DeadLetter) {
	f.Helper()
	key := keys.Default().ResponsesList().Key(keys.SuffixDead)
	for _, l := range letters {
		ok(f.T, f.rdb.RPush(f.Context(), key, responses.AppendDeadLetter(nil, &l)).Err())
	}
}

// failed returns the letter of a recipient that failed a while ago.
func failed(campaignID, user, code string) responses.DeadLetter {
	return responses.FailedLetter(notification.Result{
		CampaignID: campaignID, UserID: user, Status: notification.StatusFailed, ErrorCode: code, Error: "refused",
		Attempts: 1, At: time.Now().Add(-time.Minute).UTC(), ResultID: campaignID + "/" + user,
	}, time.Now())
}

// letters returns the ids of the remaining letters.
func (f fixture) letters() string {
	f.Helper()
	var ids []string
	for l, err := range f.deps.DeadLetters.List(f.Context(), responses.Filter{}) {
		ok(f.T, err)
		ids = append(ids, l.ID)
	}
	return fmt.Sprint(ids)
}

func (f fixture) replay(filter responses.Filter) string {
	f.Helper()
	summary, err := f.Replay(f.Context(), filter, ReplayOptions{})
	ok(f.T, err)
	return fmt.Sprintf("%d replayed, %d skipped", summary.Replayed, summary.Skipped)
}

// reach stores a token for users, without which a replay leaves them alone.
func (f fixture) reach(users ...string) {
	f.Helper()
	for _, user := range users {
		ok(f.T, f.rdb.Set(f.Context(), "user:"+user+":token", "token-of-"+user, 0).Err())
	}
}

// A replay that is stopped finishes its batch, and every other letter stays.
func TestStoppedReplayLosesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42", campaign.Running)
	for i := range 5 {
		user := fmt.Sprint("u", i)
		f.bury(failed("42", user, "INTERNAL"))
		f.reach(user)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var seen []int64
	summary, err := f.Replay(ctx, responses.Filter{}, ReplayOptions{Rate: 2, Progress: func(s ReplaySummary) {
		seen = append(seen, s.Replayed)
		stop()
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped with %v", err)
	}
	equal(t, "progress", fmt.Sprint(seen), "[2]")
	equal(t, "replayed", summary.Replayed, 2)
	equal(t, "in the list", len(f.list("campaign:42")), 2)
	equal(t, "left", f.letters(), "[42/u2 42/u3 42/u4]")
}

func TestReplaySendsEachKindOnItsWay(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	malformed := failed("42", "", notification.CodeMalformed)
	malformed.ID, malformed.Kind, malformed.Raw = "element", responses.KindElement, []byte("{not\x00JSON")
	result := responses.DeadLetter{ID: "result", Kind: responses.KindResult, Reason: "refused", At: time.Now().Add(-time.Hour), Raw: []byte(`{"a":1}`)}
	f.bury(failed("42", "u1", "UNREGISTERED"), malformed, result, failed("42", "u2", "INTERNAL"))
	f.reach("u1", "u2")

	equal(t, "replay", f.replay(responses.Filter{}), "4 replayed, 0 skipped")
	// Without the token that failed: it is looked up.
	equal(t, "recipients", fmt.Sprintf("%q", f.list("campaign:42")), `["{\"userId\":\"u1\"}" "{not\x00JSON" "{\"userId\":\"u2\"}"]`)
	equal(t, "results", fmt.Sprint(f.list("notification:responses")), `[{"a":1}]`)
	equal(t, "left", f.letters(), "[]")
	if ttl := f.rdb.TTL(t.Context(), "campaign:42").Val(); ttl >= 0 {
		t.Errorf("the list was given an expiry of %s", ttl)
	}
}

func TestReplayChooses(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	f.bury(failed("42", "u1", "INTERNAL"), failed("42", "u2", "UNREGISTERED"), failed("42", "u3", "INTERNAL"))
	f.reach("u1", "u2", "u3")
	equal(t, "replay", f.replay(responses.Filter{Code: "INTERNAL"}), "2 replayed, 0 skipped")
	equal(t, "left", f.letters(), "[42/u2]")
}

// There are more letters than one batch takes, from several campaigns.
func TestReplayOfMany(t *testing.T) {
	f := open(t)
	for i := range 3 {
		f.create(fmt.Sprint(i), campaign.Running)
	}
	for i := range 3*replayBatch + 7 {
		f.bury(failed(fmt.Sprint(i%3), fmt.Sprint("u", i), "INTERNAL"))
		f.reach(fmt.Sprint("u", i))
	}
	equal(t, "replay", f.replay(responses.Filter{}), "103 replayed, 0 skipped")
	n := 0
	for i := range 3 {
		n += len(f.list("campaign:" + fmt.Sprint(i)))
	}
	equal(t, "listed", n, 103)
	equal(t, "left", f.letters(), "[]")
}

func TestReplayLeavesAloneWhatNobodyWouldTake(t *testing.T) {
	f := open(t)
	f.create("over", campaign.Cancelled)
	f.create("draft")
	ok(t, f.rdb.HSet(t.Context(), "{campaign:broken}:spec", "message", plainMessage, "state", "flying").Err())
	f.bury(failed("over", "u", "X"), failed("gone", "u", "X"), failed("broken", "u", "X"), failed("draft", "u", "X"))
	f.reach("u")
	equal(t, "replay", f.replay(responses.Filter{}), "1 replayed, 3 skipped")
	equal(t, "left", f.letters(), "[over/u gone/u broken/u]")
	for _, id := range []string{"over", "gone", "broken"} {
		equal(t, "pushed to "+id, len(f.list("campaign:"+id)), 0)
	}
}

func TestReplayWakesTheCompleted(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running, campaign.Completed)
	f.reach("u")
	f.bury(failed("42", "u", "X"))
	equal(t, "replay", f.replay(responses.Filter{}), "1 replayed, 0 skipped")
	equal(t, "state", f.state("42"), campaign.Running)
	for _, key := range []string{"{campaign:42}:spec", "{campaign:42}:counts"} {
		if ttl := f.rdb.TTL(t.Context(), key).Val(); ttl >= 0 {
			t.Errorf("%s still expires, in %s", key, ttl)
		}
	}
}

// A recipient with two letters, as after a repeated delivery of his result, is sent to once.
func TestReplayOfCopies(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	copied := failed("42", "u", "X")
	f.bury(copied, copied)
	f.reach("u")
	for i := range replayBatch {
		f.reach(fmt.Sprint("u", i))
		f.bury(failed("42", fmt.Sprint("u", i), "X"))
	}
	f.bury(copied)
	equal(t, "replay", f.replay(responses.Filter{}), fmt.Sprintf("%d replayed, 0 skipped", replayBatch+1))
	equal(t, "listed", len(f.list("campaign:42")), replayBatch+1)
	equal(t, "left", f.letters(), "[]")
}

// A full Redis refuses the push: the letter is kept.
func TestReplayKeepsWhatCannotBePushed(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	f.bury(failed("42", "u", "X"))
	f.reach("u")
	ok(t, f.rdb.ConfigSet(t.Context(), "maxmemory", "1").Err())
	summary, err := f.Replay(t.Context(), responses.Filter{}, ReplayOptions{})
	mentions(t, err, "replay into campaign 42", "OOM")
	equal(t, "replayed", summary.Replayed, 0)
	equal(t, "left", f.letters(), "[42/u]")
}

// A recipient whose token was only in the audience would end as skipped, so the letter is kept.
func TestReplayKeepsWhoCannotBeReached(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	f.bury(failed("42", "u1", "X"), failed("42", "u2", "X"), failed("42", "u3", "X"))
	f.reach("u2")
	would, err := f.WouldReplay(t.Context(), responses.Filter{})
	ok(t, err)
	equal(t, "dry", would, ReplaySummary{Replayed: 1, NoToken: 2})
	equal(t, "left by the dry run", f.letters(), "[42/u1 42/u2 42/u3]")
	equal(t, "listed by the dry run", len(f.list("campaign:42")), 0)

	did, err := f.Replay(t.Context(), responses.Filter{}, ReplayOptions{})
	ok(t, err)
	equal(t, "replay", did, would)
	equal(t, "left", f.letters(), "[42/u1 42/u3]")
	equal(t, "listed", fmt.Sprint(f.list("campaign:42")), `[{"userId":"u2"}]`)
}

// Of many letters a sample is looked up. The estimate adds up, and is near what a replay would do:
// of 10,000 that are picked, a quarter is missed by three percent points practically never.
func TestReplayIsEstimatedFromASample(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	f.create("over", campaign.Cancelled)
	const many = 2*lookupBatch + 5
	pipe := f.rdb.Pipeline()
	for i := 0; i < many; i += 4 {
		pipe.Set(t.Context(), keys.Default().Token(fmt.Sprint("u", i)), "token", 0)
	}
	_, err := pipe.Exec(t.Context())
	ok(t, err)
	letters := func(n int) iter.Seq[responses.DeadLetter] {
		return func(yield func(responses.DeadLetter) bool) {
			for i := range n {
				yield(failed("42", fmt.Sprint("u", i), "X"))
			}
			yield(failed("over", "u", "X"))
		}
	}
	would, exact, err := f.EstimateReplay(t.Context(), letters(many))
	ok(t, err)
	if sum := would.Replayed + would.NoToken; exact || sum != many || would.Skipped != 1 || would.Replayed < many*22/100 || would.Replayed > many*28/100 {
		t.Errorf("exact %v, estimated %+v of %d, a quarter of which can be sent to", exact, would, many)
	}
	would, exact, err = f.EstimateReplay(t.Context(), letters(lookupBatch))
	ok(t, err)
	equal(t, "exact", exact, true)
	equal(t, "counted", would, ReplaySummary{Replayed: lookupBatch / 4, NoToken: lookupBatch * 3 / 4, Skipped: 1})
}
