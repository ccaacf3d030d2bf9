package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/internal/caps"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/profiles"
	"fanfare/internal/tokens"
)

// person gives the example a user with a story.
func (f *fakeSystem) person() {
	outcome := func(campaign string, status notification.Status, code string, ago time.Duration) notification.Result {
		return notification.Result{CampaignID: campaign, UserID: "u1", Status: status, ErrorCode: code, Attempts: 1, At: now.Add(-ago), ResultID: campaign}
	}
	f.users = map[string]operator.User{"u1": {
		ID: "u1", Recorded: true, Token: notification.ParseToken(aToken),
		Profile: profiles.Profile{"city": json.RawMessage(`"Lyon"`)},
		Removed: []tokens.RemovedToken{{User: "u1", Token: notification.ParseToken("older" + aToken), Campaign: "completed", At: now.Add(-time.Hour)}},
		Outcomes: []notification.Result{ // the newest first
			outcome("running", notification.StatusFailed, "UNREGISTERED", time.Minute), outcome("completed", notification.StatusSent, "", time.Hour),
			outcome("long gone", notification.StatusExpired, "DEADLINE", 48*time.Hour),
		},
	}}
}

// The story begins with the oldest outcome, and its sums are those of the outcomes.
func TestStoryOfAPerson(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.person()
	text := f.get("/people?user=u1").text
	at := 0
	for _, want := range []string{"27 November 2026", "long gone", "DEADLINE", "29 November 2026", "/campaigns/completed", "/campaigns/running", "UNREGISTERED"} {
		next := strings.Index(text[at:], want)
		if next < 0 {
			t.Fatalf("%q does not follow what happened before", want)
		}
		at += next
	}
	for _, want := range []string{"1 sent, 1 failed, 1 expired", "<h1>u1</h1>", "Lyon", "3 outcomes", "campaign no longer in Redis", "/dead?user=u1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// All devices are listed, and each outcome has those of its devices; no address is whole.
func TestDevicesOfAPerson(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.person()
	u := f.system.users["u1"]
	const fid = "cBdEfGhIjKlMnOpQrStUvW"
	u.Devices = []notification.Device{
		{Target: notification.ParseFID(fid), Platform: "ios", Locale: "pt-BR", LastSeen: now.Add(-time.Hour)}, {Target: notification.ParseToken(aToken)},
	}
	u.Outcomes[1].Devices = []notification.DeviceResult{
		{Address: "cBdEfG…tUvW", Kind: "fid", Platform: "ios", Status: notification.StatusSent},
		{Address: "zBdEfG…tUvW", Kind: "token", Status: notification.StatusFailed, ErrorCode: "UNREGISTERED", TokenRemoved: true},
	}
	f.system.users["u1"] = u
	text := f.get("/people?user=u1").text
	for _, want := range []string{
		`<span class="mono">cBdEfG…tUvW</span><span class="two narrow">fid · ios · pt-BR</span></th><td class="wide">fid</td><td class="wide">ios</td><td class="wide">pt-BR</td><td>13:00:00<span class="two">1 h ago</span>`,
		`<span class="mono">` + notification.Abbreviate(aToken) + `</span><span class="two narrow">token · – · –</span></th><td class="wide">token</td><td class="wide">–</td><td class="wide">–</td><td>–</td>`,
		`<span class="mono">` + notification.Abbreviate("older"+aToken) + `</span><span class="two narrow">token · by completed · others are stored</span></th><td class="wide">token</td><td colspan="2" class="wide">by <a class="link" href="/campaigns/completed">completed</a><span class="two">others are stored</span></td><td>removed 13:00:00</td>`,
		"2 in use, 1 removed",
		`Sent</span> cBdEfG…tUvW · fid · ios</div>`, `Failed</span> zBdEfG…tUvW · token · UNREGISTERED · removed</div>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	if strings.Contains(text, fid) || strings.Contains(text, aToken) {
		t.Error("the page has a whole address")
	}
}

// The caps of a user are those of the command line: what counts, and when that changes.
func TestCapsOfAPerson(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.person()
	if text := f.get("/people?user=u1").text; strings.Contains(text, ">Caps<") {
		t.Error("a console without caps shows some")
	}
	u := f.system.users["u1"]
	day := 24 * time.Hour
	u.Caps = []caps.Usage{
		{Cap: caps.Cap{Count: 4, Window: 2 * day}, Used: 4, FreesAt: now.Add(90 * time.Minute), OldestUntil: now.Add(90 * time.Minute)},
		{Cap: caps.Cap{Count: 10, Window: 14 * day}, Used: 5, OldestUntil: now.Add(3 * time.Hour)}, {Cap: caps.Cap{Count: 20, Window: 30 * day}},
	}
	f.system.users["u1"] = u
	text := f.get("/people?user=u1").text
	for _, want := range []string{
		"4 in 2d</span>", "<b>4</b> <span class=\"faint\">of 4 used", "Capped: the next push may go at 15:30:00 UTC, in 1 h 30 min", "10 in 2w</span>",
		"<b>5</b> <span class=\"faint\">of 10 used", "The oldest counts until 17:00:00 UTC, in 3 h", "<b>0</b> <span class=\"faint\">of 20 used",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	u.Caps, u.CapsErr = nil, errors.New("dial redis://user:hunter2@db: refused")
	f.system.users["u1"] = u
	if text := f.get("/people?user=u1").text; !strings.Contains(text, "Unknown: dial redis://") || strings.Contains(text, "hunter2") {
		t.Error("the page does not say why caps are unknown, or shows a password")
	}
}

// A token is masked until someone who operates reveals it, and never stands in an address or a
// page.
func TestTokensAreMaskedUntilReveal(t *testing.T) {
	t.Parallel()
	for operate, status := range map[bool]int{true: http.StatusOK, false: http.StatusForbidden} {
		f := open(t, Options{Operate: operate, Actor: "ops"})
		f.system.person()
		page := f.get("/people?user=u1")
		if strings.Contains(page.text, aToken) || strings.Contains(page.text, "older"+aToken) || !strings.Contains(page.text, notification.Abbreviate(aToken)) {
			t.Errorf("operate %v: the page has the whole token, or not the masked one", operate)
		}
		if got := strings.Contains(page.text, "/people/reveal?user=u1"); got != operate {
			t.Errorf("operate %v: the page offers to reveal: %v", operate, got)
		}
		answer := f.post("/people/reveal?user=u1", url.Values{})
		wantStatus(t, answer, status)
		if got := strings.Contains(answer.text, aToken); got != operate {
			t.Errorf("operate %v: the answer has the token: %v", operate, got)
		}
		if noted := f.system.done() == "note token revealed of user u1 by ops, console"; noted != operate {
			t.Errorf("operate %v: the history of the project says %q", operate, f.system.done())
		}
	}
	f := open(t, Options{})
	long := aToken + strings.Repeat("x", 100)
	answer := f.get("/people?user=" + url.QueryEscape(long))
	wantStatus(t, answer, http.StatusSeeOther)
	if to := answer.Header.Get("Location"); strings.Contains(to, "APA91") || strings.Contains(answer.text, "APA91") {
		t.Errorf("a token typed as an id leads to %s", to)
	}
}

// Without SQL, or while it is away, the page says so and shows what Redis knows.
func TestStoryWithoutSQL(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.person()
	f.system.recordsErr = errors.New("dial postgres://app:hunter2@db: refused")
	text := f.get("/people?user=u1").text
	if strings.Contains(text, "No outcome yet in these") || !strings.Contains(text, "or has ended, is unknown") {
		t.Error("with SQL away, the page claims that there is no outcome")
	}
	if !strings.Contains(text, "SQL does not answer") || strings.Contains(text, "hunter2") || !strings.Contains(text, "Lyon") {
		t.Error("with SQL away, the page hides that, shows a password, or loses what Redis knows")
	}
	f.system.recordsErr = nil
	f.system.users["u1"] = operator.User{ID: "u1", Token: notification.ParseToken(aToken)}
	text = f.get("/people?user=u1").text
	if !strings.Contains(text, "No database keeps outcomes") || !strings.Contains(text, notification.Abbreviate(aToken)) {
		t.Error("without a database, the page does not say so, or loses the token")
	}
}

// A source that cannot be asked is unknown, not empty; and no one's id is someone else's.
func TestUnknownIsNotNone(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.users = map[string]operator.User{"u1": {ID: "u1", Recorded: true, TokenErr: errors.New("Redis is away"), ProfileErr: errors.New("no object")}}
	text := f.get("/people?user=u1").text
	for _, want := range []string{"Redis is away", "no object", "No outcome in SQL"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if text := f.get("/people?user=" + strings.Repeat("u", maxUser+1)).text; !strings.Contains(text, "that long") {
		t.Error("a long id is searched for as a shorter one")
	}
}
