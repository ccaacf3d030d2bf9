package preflight

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/fcm"
	"fanfare/internal/pacing"
)

// people are elements whose tokens begin with a prefix.
func people(n int, prefix string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"userId":"%s%d","fcmToken":"%s%d","vars":{"name":"Ann"}}`, prefix, i, prefix, i)
	}
	return all
}

const personal = `{"notification":{"title":"Hello {{name}}"}}`

func TestPreflightOfASoundCampaign(t *testing.T) {
	s := openStage(t)
	ok(t, s.rdb.Set(t.Context(), "user:u1:token", "t1", 0).Err())
	ok(t, s.rdb.Set(t.Context(), "profile:u1", `{"name":"Bea"}`, 0).Err())
	elements := append(people(29, "good-"), `{"userId":"u1"}`)
	report := s.preflight(personal, elements...)
	for _, f := range report.Findings {
		if f.Grade != checks.Good && f.Name != "quarter hours" { // the test may run around one
			t.Errorf("got %+v", f)
		}
	}
	equal(t, "validated", report.Validated, 30)
	equal(t, "recipients", report.Recipients, int64(30))
	equal(t, "sizes", report.Sizes, Sizes{Min: 38, Median: 38, Max: 38, Limit: 4096})
	wantFinding(t, report.Findings, "fcm", checks.Good, "accepts 30 of 30")
	wantFinding(t, report.Findings, "dead tokens", checks.Good, "0 of 30 (0.0%; 0.0% to 11.4% with 95% confidence): 0 to 4 of 30 recipients")
	counts := s.sim.Counts()
	equal(t, "requests that were only to validate", counts.Validated, counts.Requests)
	equal(t, "accepted", counts.Accepted, 0)
	equal(t, "list", strings.Join(s.rdb.LRange(t.Context(), "campaign:42", 0, -1).Val(), "\n"), strings.Join(elements, "\n"))
	for _, key := range s.rdb.Keys(t.Context(), "*").Val() {
		switch key {
		case "campaign:42", "{campaign:42}:spec", "{campaign:42}:counts", "{campaign:42}:history", "{campaign:}:registry", "user:u1:token", "profile:u1", "{fanfare:demo}:pace":
		default:
			t.Errorf("the preflight left %s", key)
		}
	}
}

// A placeholder of another system may be meant as it is, so it is a warning.
func TestPreflightWarnsOfUnknownPlaceholders(t *testing.T) {
	s := openStage(t)
	report := s.preflight(`{"notification":{"title":"Hello ${name}","body":"{{name}} and %city%"}}`, people(3, "good-")...)
	wantFinding(t, report.Findings, "message", checks.Warning, "is valid, but has placeholders of another system: %city% (write {{city}}), ${name} (write {{name}})")
}

func TestPreflightFindsWhatWouldGoWrong(t *testing.T) {
	large := fmt.Sprintf(`{"userId":"large","fcmToken":"t","vars":{"name":%q}}`, strings.Repeat("x", 5000))
	for name, c := range map[string]struct {
		message  string
		elements []string
		finding  string
		grade    checks.Grade
		says     string
	}{
		"nobody":               {personal, nil, "audience", checks.Failure, "load the audience"},
		"malformed":            {personal, append(people(3, "good-"), `{"userId":`), "elements", checks.Warning, "1 of 4 (25.0%; "},
		"all malformed":        {personal, []string{`{"userId":`, `[]`}, "elements", checks.Failure, "it is not JSON"},
		"without a token":      {personal, append(people(3, "good-"), `{"userId":"u1","vars":{"name":"x"}}`), "tokens", checks.Warning, "1 of 4"},
		"what can be no token": {personal, append(people(3, "good-"), `{"userId":"u1","fcmToken":"a b","vars":{"name":"x"}}`), "invalid tokens", checks.Warning, "INVALID_TOKEN); of the first, it holds white space"},
		"no token at all":      {personal, []string{`{"userId":"u1","vars":{"name":"x"}}`}, "tokens", checks.Failure, "no token in the element"},
		"without a value":      {personal, append(people(3, "good-"), `{"userId":"u1","fcmToken":"t"}`), "placeholders", checks.Warning, "{{name}}"},
		"too large":            {personal, append(people(3, "good-"), large), "size", checks.Warning, "are over FCM's limit of 4,096 bytes"},
		"dead tokens":          {personal, append(people(20, "dead-"), people(20, "good-")...), "dead tokens", checks.Warning, "20 of 40 (50.0%; 35.2% to 64.8%"},
		"some dead tokens":     {personal, append(people(1, "dead-"), people(20, "good-")...), "dead tokens", checks.Good, "1 of 21"},
		"refused payload":      {personal, people(3, "payload-"), "message at FCM", checks.Failure, "message.notification.image"},
		"wrong project":        {personal, people(3, "missing-"), "project", checks.Failure, "3 of 3: "},
		"no rights":            {personal, people(3, "denied-"), "credentials", checks.Failure, "fix the credentials"},
		"APNs refuses":         {personal, append(people(3, "apns-auth-"), people(3, "good-")...), "platform", checks.Failure, "THIRD_PARTY_AUTH_ERROR"},
		"another sender":       {personal, append(people(3, "mismatch-"), people(3, "good-")...), "sender", checks.Warning, "3 of 6"},
		"no tokens":            {personal, append(people(3, "invalid-"), people(3, "good-")...), "targets", checks.Warning, "3 of 6"},
		"FCM is in trouble":    {personal, append(people(3, "unavailable-"), people(3, "good-")...), "fcm", checks.Warning, "3 were not answered"},
		"none was validated":   {personal, []string{`{"userId":"u1"}`}, "fcm", checks.Warning, "no one in the sample can be sent to"},
	} {
		t.Run(name, func(t *testing.T) {
			wantFinding(t, openStage(t).preflight(c.message, c.elements...).Findings, c.finding, c.grade, c.says)
		})
	}
}

// A message that cannot be read is a finding, and the forecast follows all the same.
func TestPreflightOfABadMessage(t *testing.T) {
	s := openStage(t)
	ok(t, s.rdb.HSet(t.Context(), "{campaign:42}:spec", "message", `{"notification":{"titel":"x"}}`, "state", "running").Err())
	ok(t, s.rdb.RPush(t.Context(), "campaign:42", `{"userId":"u1","fcmToken":"t"}`).Err())
	report, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, report.Findings, "message", checks.Failure, "message.notification.titel: is unknown to FCM")
	wantFinding(t, report.Findings, "time", checks.Good, "takes")
	equal(t, "requests", s.sim.Counts().Requests, 0)
}

// With fcm.client: sdk, a message that the Firebase SDK would change is named before the start.
func TestPreflightOfAMessageForTheSDK(t *testing.T) {
	s := openStage(t)
	_, s.options.Validator = simulatedFCM(t, fcm.ClientSDK)
	report := s.preflight(`{"notification":{"title":"x"},"webpush":{"fcm_options":{"analytics_label":"web"}}}`, `{"userId":"u1","fcmToken":"good"}`)
	wantFinding(t, report.Findings, "message at FCM", checks.Failure, "the Firebase SDK cannot send message.webpush.fcm_options.analytics_label")
}

// A message with languages and a hold-out group is filled in as a dispatcher does it.
func TestPreflightOfLanguages(t *testing.T) {
	s := openStage(t)
	report := s.preflight(`{"message":{"data":{"k":"x"}},"locales":{"pt":{"data":{"k":"{{who}}"}}},"holdout":50}`,
		append(people(40, "good-"), `{"userId":"u1","fcmToken":"good-1","locale":"pt-BR"}`, `{"userId":"u2","fcmToken":"good-2","locale":"pt-BR"}`, `{"userId":"u3","fcmToken":"good-3","locale":"pt"}`)...)
	wantFinding(t, report.Findings, "placeholders", checks.Warning, "{{who}}")
	if n := report.Validated; n == 0 || n > 35 {
		t.Errorf("%d of 43 were validated, want about half", n)
	}
}

func TestPreflightOfOtherStates(t *testing.T) {
	s := openStage(t)
	s.create("1", personal, campaign.Running, campaign.Cancelled)
	s.create("2", personal, campaign.Running)
	ok(t, s.checker.deps.Campaigns.Move(t.Context(), "2", campaign.Paused, "too many dead tokens"))
	for id, want := range map[string]checks.Finding{
		"1": {Grade: checks.Failure, Detail: "is cancelled"}, "2": {Grade: checks.Warning, Detail: "is paused: too many dead tokens"},
	} {
		report, err := s.checker.Run(t.Context(), id, s.options)
		ok(t, err)
		wantFinding(t, report.Findings, "campaign", want.Grade, want.Detail)
	}
	_, err := s.checker.Run(t.Context(), "none", s.options)
	mentions(t, err, "no such campaign")
	ok(t, s.rdb.RPush(t.Context(), "campaign:7", `{"userId":1}`).Err())
	_, err = s.checker.Run(t.Context(), "7", s.options)
	mentions(t, err, "no such campaign")
	s.options.Sample = 0
	_, err = s.checker.Run(t.Context(), "1", s.options)
	mentions(t, err, "must be above zero")
}

// A project-wide 429 that a preflight receives closes the gate for all replicas.
func TestPreflightObeysTheGate(t *testing.T) {
	s := openStage(t)
	s.options.Patience = 500 * time.Millisecond
	s.options.AtOnce = 1
	report := s.preflight(personal, append(people(1, "quota-"), people(5, "good-")...)...)
	wantFinding(t, report.Findings, "pace", checks.Warning, "the gate is closed until")
	wantFinding(t, report.Findings, "fcm", checks.Failure, "QUOTA_EXCEEDED")
	equal(t, "requests after the 429", s.sim.Counts().Requests, 1)

	ok(t, s.governor.Halt(t.Context(), "wrong project"))
	report, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, report.Findings, "pace", checks.Failure, "the project is halted: wrong project")
	wantFinding(t, report.Findings, "time", checks.Failure, "never end")
	wantFinding(t, report.Findings, "fcm", checks.Failure, "not done within 500ms")
}

// closed is a pacer behind a closed gate.
type closed struct{ Pacer }

func (closed) Wait(ctx context.Context, _ pacing.Push) error {
	<-ctx.Done()
	return ctx.Err()
}

// No one waits longer than their patience.
func TestValidationEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := DefaultOptions()
		options.Pacer = closed{}
		start := time.Now()
		h := new(Checker).validate(t.Context(), "42", candidates(50), options)
		equal(t, "time", time.Since(start), options.Patience)
		equal(t, "validated", h.countValidated(), 0)
		wantFinding(t, h.findings(100, nil), "fcm", checks.Failure, "not done within 30s")
		wantFinding(t, h.findings(100, nil), "dead tokens", checks.Warning, "FCM answered for no token")
	})
}

// Suppressed users are counted and get no push, so nothing else about them is a finding.
func TestSuppressedUsersAreCounted(t *testing.T) {
	s := openStage(t)
	_, err := s.checker.deps.Suppressed.Add(t.Context(), "u1", "u2")
	ok(t, err)
	report := s.preflight(`{"notification":{"title":"Hello"}}`, `{"userId":"u1"}`, `{"userId":"u2","fcmToken":"t2"}`, `{"userId":"u3","fcmToken":"t3"}`)
	wantFinding(t, report.Findings, "suppressed", checks.Good, "2 of 3 get no push; all were looked up")
	wantFinding(t, report.Findings, "tokens", checks.Good, "0 of 3 have no token")
	equal(t, "share", report.Suppressed.Found, 2)
	equal(t, "validated", report.Validated, 1)

	s.options.Sample = 2
	sampled, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, sampled.Findings, "suppressed", checks.Good, "1 of 2 (50.0%; 9.5% to 90.5% with 95% confidence) in the sample get no push")

	_, err = s.checker.deps.Suppressed.Add(t.Context(), "u3")
	ok(t, err)
	all, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, all.Findings, "suppressed", checks.Warning, "fanfare suppress list")

	ok(t, s.rdb.Set(t.Context(), "{campaign:}:suppressed", "no set", 0).Err())
	unknown, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	wantFinding(t, unknown.Findings, "look-up", checks.Failure, "2 of 2 could not be looked up")
	equal(t, "validated while suppressed users are unknown", unknown.Validated, 0)
}
