package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/content"
	"fanfare/internal/fcm"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

const plainMessage = `{"notification":{"title":"Hello"}}`

// A sample without a single validated message proves nothing.
func TestWhatFCMDidNotAnswer(t *testing.T) {
	for class, want := range map[fcm.Class]checks.Grade{fcm.Unavailable: checks.Failure, fcm.Sent: checks.Good} {
		h := validation{asked: 1, counts: map[fcm.Class]int{class: 1}, examples: map[fcm.Class]fcm.Answer{class: {}}}
		equal(t, class.String(), h.summaryFinding().Grade, want)
	}
}

// A certain fifth of dead tokens is a warning.
func TestManyDeadTokens(t *testing.T) {
	for dead, want := range map[int]checks.Grade{300: checks.Warning, 150: checks.Good} {
		h := validation{asked: 1000, counts: map[fcm.Class]int{fcm.Unregistered: dead, fcm.Sent: 1000 - dead}}
		equal(t, "grade", h.deadFinding(1000, breaker.Threshold{}).Grade, want)
	}
}

func TestSizesOfMessages(t *testing.T) {
	equal(t, "sizes", sizesOf([]int{9, 1, 2}), Sizes{Min: 1, Median: 2, Max: 9, Limit: content.MaxSize})
}

func TestStatesOfAPreflight(t *testing.T) {
	for want, specs := range map[checks.Grade][]campaign.Spec{
		checks.Good:    {{State: campaign.Draft}, {State: campaign.Paused}, {State: campaign.Running, Reason: "x"}},
		checks.Warning: {{State: campaign.Paused, Reason: "x"}},
		checks.Failure: {{State: campaign.Cancelled}, {State: campaign.Expired}},
	} {
		for _, spec := range specs {
			equal(t, string(spec.State)+spec.Reason, stateFinding(operator.View{Spec: spec}).Grade, want)
		}
	}
}

// A limit counts its share and its number. Few recipients trip nothing.
func TestALimitCountsItsNumber(t *testing.T) {
	limit := breaker.Threshold{Share: 0.3, Least: 100}
	s := shareOf(90, 100)
	equal(t, "of few", s.gradeAgainst(limit, 50), checks.Good)
	equal(t, "of some", s.gradeAgainst(limit, 110), checks.Warning)
	equal(t, "of many", s.gradeAgainst(limit, 1000), checks.Failure)
}

// An incomplete audience is a failure with advice.
func TestPreflightTellsOfLosses(t *testing.T) {
	s := openStage(t)
	s.create("42", plainMessage)
	for range 2 {
		ok(t, s.rdb.Del(t.Context(), "campaign:42").Err())
		ok(t, s.rdb.RPush(t.Context(), "campaign:42", `{"userId":"u1"}`).Err())
		ok(t, s.checker.deps.Campaigns.Guard(t.Context(), "42"))
		ok(t, s.rdb.HSet(t.Context(), "{campaign:42}:counts", "seen", 3).Err())
	}
	report, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, report.Findings, "complete audience", checks.Failure, "went missing")
}

// A recipient's own token takes precedence over the stored one, even if another recipient has the
// same id.
func TestATokenOfTheElementIsUsed(t *testing.T) {
	s := openStage(t)
	ok(t, s.rdb.Set(t.Context(), "user:u1:token", "token-of-u1", 0).Err())
	ready, err := content.Compile([]byte(plainMessage))
	ok(t, err)
	c, err := s.checker.prepare(t.Context(), "42", ready, campaign.Sample{Recipients: []notification.Recipient{
		{UserID: "u1", Target: notification.ParseToken("own")}, {UserID: "u1"},
	}})
	ok(t, err)
	equal(t, "ready", len(c.ready), 2)
	equal(t, "the first", c.ready[0].target.Value, "own")
	equal(t, "the second", c.ready[1].target.Value, "token-of-u1")
}

// project is a pacer without limits, and a validator that reports the project's quota as used up.
type project struct {
	Pacer
	mu            sync.Mutex
	asked, atOnce int
	closed        time.Duration
}

func (*project) Wait(context.Context, pacing.Push) error { return nil }

func (p *project) CloseGate(_ context.Context, retryAfter time.Duration, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = retryAfter
	return nil
}

func (p *project) Validate(context.Context, []byte, notification.Target) fcm.Answer {
	p.mu.Lock()
	p.asked++
	p.atOnce = max(p.atOnce, p.asked)
	p.mu.Unlock()
	<-time.After(time.Second) // in synthetic time
	p.mu.Lock()
	p.asked--
	p.mu.Unlock()
	return fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaProject, RetryAfter: 7 * time.Second}
}

// No more requests are in flight than allowed, and the gate closes for as long as FCM says.
func TestValidationKeepsItsBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(project)
		options := DefaultOptions()
		options.AtOnce, options.Pacer, options.Validator = 3, p, p
		new(Checker).validate(t.Context(), "42", candidates(10), options)
		equal(t, "at once", p.atOnce, 3)
		equal(t, "closed for", p.closed, 7*time.Second)
	})
}

// The check of a draft warns before the campaign waits.
func TestPreflightTellsThatNoProjectTakesIt(t *testing.T) {
	s := openStage(t)
	for _, project := range []string{"demo", "dmeo"} {
		ok(t, s.rdb.ZAdd(t.Context(), keys.Default().Projects(), redis.Z{Score: float64(time.Now().UnixMilli()), Member: project}).Err())
	}
	wantFinding(t, s.preflight(plainMessage, people(1, "u")...).Findings, "dispatchers", checks.Warning, "names no Firebase project")
}

// A rate limit above the project's pace limits nothing, and is not mentioned.
func TestForecastOfACapThatBoundsNothing(t *testing.T) {
	state := pacing.State{Now: time.Unix(1_800_000_000, 0), Settings: pacing.Settings{Quota: 6000}, Rate: 100, Warm: 1}
	for rate, want := range map[float64]float64{1e6: 100, 10: 10} {
		spec := campaign.Spec{Rate: rate}
		f := newForecast(state, spec, 1000, nil, time.Time{})
		equal(t, "rate", f.Rate, want)
		own := strings.Contains(fmt.Sprint(f.findings(state, spec)), "limited by the campaign's own rate")
		equal(t, "says that its own rate limits it", own, rate == want)
	}
}

// A tenth of the time until the deadline should be left.
func TestForecastWantsSlack(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for minutes, want := range map[time.Duration]checks.Grade{90: checks.Good, 91: checks.Warning, 99: checks.Warning} {
		f := Forecast{Now: now, Ends: now.Add(minutes * time.Minute), Deadline: now.Add(100 * time.Minute)}
		equal(t, fmt.Sprint(minutes), f.deadlineFinding().Grade, want)
	}
}

// A campaign that no dispatcher can send uses no quota.
func TestRivalsCanBeSent(t *testing.T) {
	s := openStage(t)
	ok(t, s.rdb.HSet(t.Context(), "{campaign:2}:spec", "message", `{"data":{"n":1}}`, "state", "running").Err())
	ok(t, s.rdb.RPush(t.Context(), "campaign:2", `{"userId":"u1"}`).Err())
	rivals, err := s.checker.listRivals(t.Context(), "1", "")
	ok(t, err)
	equal(t, "rivals", len(rivals), 0)
}

// candidates have an empty message.
func candidates(n int) []candidate {
	ready, err := content.Compile([]byte(`{}`))
	if err != nil {
		panic(err)
	}
	return slices.Repeat([]candidate{{message: ready.Shared()}}, n)
}
