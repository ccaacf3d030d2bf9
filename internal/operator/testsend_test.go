package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/profiles"
)

// testFCM records what is sent, and answers with one answer.
type testFCM struct {
	answer    TestAnswer
	sent      []string // the bodies
	validated []string
	gates     int
}

func (f *testFCM) Send(_ context.Context, body []byte, _ notification.Target) TestAnswer {
	f.sent = append(f.sent, string(body))
	return f.answer
}

func (f *testFCM) Validate(_ context.Context, body []byte, _ notification.Target) TestAnswer {
	f.validated = append(f.validated, string(body))
	return f.answer
}

func (f *testFCM) Wait(ctx context.Context, _ pacing.Push) error { return ctx.Err() }

func (f *testFCM) CloseGate(context.Context, time.Duration, string) error {
	f.gates++
	return nil
}

const personalMessage = `{"notification":{"title":"Hi {{name}} of {{city|nowhere}}"}}`

// A message is filled in from the profile. Who would get nothing is told why.
func TestMessageIsFilledForAUser(t *testing.T) {
	t.Parallel()
	f := open(t)
	ok(t, f.rdb.Set(t.Context(), "profile:u1", `{"name":"Ada"}`, 0).Err())
	spec := campaign.Spec{ID: "42", Message: []byte(personalMessage)}
	filled, err := f.FillFor(t.Context(), spec, "u1")
	ok(t, err)
	equal(t, "message", string(filled.Message), `{"notification":{"title":"Hi Ada of nowhere"}}`)
	filled, err = f.FillFor(t.Context(), spec, "u2")
	ok(t, err)
	if unfilled, is := errors.AsType[*content.UnfilledError](filled.Err); !is || unfilled.Name != "name" || filled.Message != nil {
		t.Errorf("without a profile: %v, %s", filled.Err, filled.Message)
	}
	filled, err = f.FillFor(t.Context(), spec, "")
	ok(t, err)
	equal(t, "template", string(filled.Template), personalMessage)
	_, err = f.FillFor(t.Context(), campaign.Spec{ID: "42", Message: []byte(`{"notification":{"title":5}}`)}, "u1")
	mentions(t, err, "notification.title")
}

// Without their profile no one gets the message, although placeholders have defaults.
func TestMessageIsNotFilledWithoutTheProfile(t *testing.T) {
	t.Parallel()
	f := open(t)
	down, err := profiles.New(f.rdb, f.deps.Names, profilesDown{}, profiles.Options{})
	ok(t, err)
	f.deps.Profiles = down
	ok(t, f.rdb.HSet(t.Context(), "user:u1:devices", "phone", `{"locale":"de"}`).Err())
	message := `{"message":{"notification":{"title":"Hi {{name|you}}"}},"locales":{"de":{"notification":{"title":"Hallo {{name|du}}"}}}}`
	filled, err := f.FillForNewest(t.Context(), campaign.Spec{ID: "42", Message: []byte(message)}, "u1")
	ok(t, err)
	if filled.Err == nil || filled.Message != nil {
		t.Errorf("filled in as %s, error %v", filled.Message, filled.Err)
	}
}

type profilesDown struct{}

func (profilesDown) Profiles(context.Context, []string) (map[string]json.RawMessage, error) {
	return nil, errors.New("SQL is down")
}

// A test goes to one token, and leaves the books, the results and the token alone.
func TestTestSendIsInNoBooks(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42")
	f.load("42", "userId\nu1\n", LoadOptions{Format: audience.CSV})
	f.reach("u1")
	before := f.rdb.HGetAll(t.Context(), "{campaign:42}:counts").Val()
	via := &testFCM{answer: TestAnswer{Code: "UNREGISTERED", Detail: "gone"}}
	results, err := f.SendTest(t.Context(), TestSend{Campaign: "42", User: "u1", Sender: via, Pacer: via})
	ok(t, err)
	equal(t, "devices", len(results), 1)
	result := results[0]
	equal(t, "answer", result.Describe(), "FCM did not accept it: UNREGISTERED, gone")
	equal(t, "accepted", result.Answer.Accepted, false)
	if len(via.sent) != 1 || !strings.Contains(via.sent[0], `"token":"token-of-u1"`) || strings.Contains(via.sent[0], `"42:u1"`) {
		t.Errorf("sent %+v, want one to the token of u1 with a tag of its own", via.sent)
	}
	equal(t, "books", fmt.Sprint(f.rdb.HGetAll(t.Context(), "{campaign:42}:counts").Val()), fmt.Sprint(before))
	equal(t, "results", len(f.list("notification:responses")), 0)
	equal(t, "token", f.rdb.Get(t.Context(), "user:u1:token").Val(), "token-of-u1")
	entries, err := f.deps.Campaigns.History(t.Context(), "42")
	ok(t, err)
	equal(t, "history", DescribeEntry(entries[len(entries)-1]), "test sent: to user u1 at token-…; FCM did not accept it: UNREGISTERED, gone")
}

// A test that cannot be sent says that nothing was sent. A 429 of the project closes the gate.
func TestTestSendThatIsNotSent(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42")
	via := &testFCM{answer: TestAnswer{OverQuota: true, RetryAfter: time.Minute}}
	for name, test := range map[string]TestSend{
		"no token": {User: "u9"}, "a bad token": {Address: notification.ParseToken("not a token")},
	} {
		test.Campaign, test.Sender, test.Pacer = "42", via, via
		_, err := f.SendTest(t.Context(), test)
		mentions(t, err, "nothing was sent")
		if len(via.sent) > 0 {
			t.Errorf("%s: it was sent", name)
		}
	}
	_, err := f.SendTest(t.Context(), TestSend{Campaign: "43", User: "u1", Sender: via})
	if !errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("an unknown campaign: %v", err)
	}
	_, err = f.SendTest(t.Context(), TestSend{Campaign: "42", Address: notification.ParseToken("a-token"), Sender: via, Pacer: via})
	ok(t, err)
	equal(t, "gates", via.gates, 1)
}

// A test goes to each device of the user, in the device's language. Validation sends and records
// nothing.
func TestTestGoesToEachDevice(t *testing.T) {
	t.Parallel()
	f := open(t)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(`{"message":{"notification":{"title":"Hello {{name}}"}},"locales":{"pt":{"notification":{"title":"Olá {{name}}"}}}}`)}))
	ok(t, f.rdb.Set(t.Context(), "profile:u1", `{"name":"Ada","locale":"en"}`, 0).Err())
	ok(t, f.rdb.HSet(t.Context(), "user:u1:devices",
		"fid-of-the-phone-22-ch", `{"kind":"fid","platform":"ios","locale":"pt-BR","lastUse":"2026-11-02T10:00:00Z"}`,
		"token-of-the-tablet", `{"kind":"token","platform":"android","lastUse":"2026-11-01T10:00:00Z"}`).Err())
	via := &testFCM{answer: TestAnswer{Accepted: true, MessageID: "m"}}
	test := TestSend{Campaign: "42", User: "u1", Sender: via, Pacer: via, ValidateOnly: true}
	_, err := f.SendTest(t.Context(), test)
	ok(t, err)
	equal(t, "validated, sent", fmt.Sprint(len(via.validated), len(via.sent)), "2 0")
	before, err := f.deps.Campaigns.History(t.Context(), "42")
	ok(t, err)
	test.ValidateOnly = false
	results, err := f.SendTest(t.Context(), test)
	ok(t, err)
	equal(t, "sent", len(via.sent), 2)
	mentions(t, errors.New(via.sent[0]), `"fid":"fid-of-the-phone-22-ch"`)
	mentions(t, errors.New(via.sent[0]), `Olá Ada`)
	mentions(t, errors.New(via.sent[1]), `Hello Ada`)
	equal(t, "locales", results[0].Message.Locale+","+results[1].Message.Locale, "pt,")
	equal(t, "left out", fmt.Sprint(results[0].LeftOut, results[1].LeftOut), "false false")
	equal(t, "platforms", results[0].Platform+","+results[1].Platform, "ios,android")
	if shown := string(results[0].Request); strings.Contains(shown, "fid-of-the-phone-22-ch") || !strings.Contains(shown, `"fid":"fid-of…`) {
		t.Errorf("shows %s, want the address shortened", shown)
	}
	after, err := f.deps.Campaigns.History(t.Context(), "42")
	ok(t, err)
	equal(t, "history entries", len(after)-len(before), 2)
	for _, e := range before {
		if e.What == campaign.NoteTested {
			t.Error("a validation is recorded as a test")
		}
	}
}

// A campaign to the latest device says which devices it would leave out; the test goes to all.
func TestTestNamesWhatTheCampaignLeavesOut(t *testing.T) {
	t.Parallel()
	f := open(t)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Devices: campaign.LatestDevice}))
	ok(t, f.rdb.HSet(t.Context(), "user:u1:devices", "new", `{"kind":"token","lastUse":"2026-11-02T10:00:00Z"}`, "old", `{"kind":"token"}`).Err())
	via := &testFCM{answer: TestAnswer{Accepted: true, MessageID: "m"}}
	results, err := f.SendTest(t.Context(), TestSend{Campaign: "42", User: "u1", Sender: via, Pacer: via})
	ok(t, err)
	equal(t, "results", len(results), 2)
	equal(t, "left out", fmt.Sprint(results[0].LeftOut, results[1].LeftOut), "false true")
}
