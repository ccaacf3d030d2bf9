package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

func failed(user, code string) notification.Result {
	return notification.Result{ResultID: user, CampaignID: "running", UserID: user, Status: notification.StatusFailed, ErrorCode: code, Error: code + " to all tries", At: now}
}

// pages are all pages of the console.
var pages = []string{
	"/campaigns", "/campaigns?state=needs", "/campaigns?q=run&order=newest", "/campaigns/running", "/campaigns/tripped", "/campaigns/broken", "/campaigns/draft",
	"/campaigns/completed", "/campaigns/cancelled", "/dead", "/dead?code=UNREGISTERED", "/quota", "/people", "/people?user=u1", "/people?user=stranger", "/people?problem=token", "/new", "/campaigns/draft/audience", "/campaigns/draft/ready",
}

// Everything that a page loads or runs comes from the console, in files of its own.
func TestPagesKeepTheStrictPolicy(t *testing.T) {
	f := open(t, Options{Operate: true})
	inline := regexp.MustCompile(`<script(?:>| [^>]*>)\s*[^<\s]|<style|<[^>]*\s(?:style|on[a-z]+)=`)
	elsewhere := regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//`)
	for _, page := range pages {
		r := f.get(page)
		wantStatus(t, r, http.StatusOK)
		if got := r.Header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s has the policy %q", page, got)
		}
		for name, bad := range map[string]*regexp.Regexp{"inline code": inline, "another origin": elsewhere} {
			if found := bad.FindString(r.text); found != "" {
				t.Errorf("%s has %s: %s", page, name, found)
			}
		}
		if strings.Contains(r.text, "<no value>") || strings.Contains(r.text, "%!") {
			t.Errorf("%s shows a value that is missing", page)
		}
	}
}

// What others wrote into Redis is text on every page.
func TestForeignTextIsEscaped(t *testing.T) {
	f := open(t, Options{Operate: true})
	for _, page := range []string{"/campaigns", "/campaigns/" + url.PathEscape("<script>alert(1)</script>"), "/palette?q=alert"} {
		r := f.get(page)
		wantStatus(t, r, http.StatusOK)
		if strings.Contains(r.text, "<script>alert") || strings.Contains(r.text, "<img src=x") {
			t.Errorf("%s has the markup of a campaign's name", page)
		}
	}
}

func TestPagesUnderAPrefix(t *testing.T) {
	f := open(t, Options{Prefix: "/fanfare"})
	r := f.get("/fanfare/campaigns")
	wantStatus(t, r, http.StatusOK)
	for _, link := range regexp.MustCompile(`(?:href|src|action)="(/[^"]*)"`).FindAllStringSubmatch(r.text, -1) {
		if !strings.HasPrefix(link[1], "/fanfare/") {
			t.Errorf("link %s leaves the prefix", link[1])
		}
	}
	wantStatus(t, f.get("/fanfare/static/console.js"), http.StatusOK)
	wantStatus(t, f.get("/fanfare"), http.StatusFound)
	wantStatus(t, f.get("/campaigns"), http.StatusNotFound)
}

func TestUnknownPages(t *testing.T) {
	f := open(t, Options{})
	for page, want := range map[string]string{"/nothing": "no such page", "/campaigns/nothing": "no such campaign", "/campaigns/running/explode": "no such page"} {
		r := f.get(page)
		wantStatus(t, r, http.StatusNotFound)
		if !strings.Contains(r.text, want) {
			t.Errorf("%s does not say %q", page, want)
		}
	}
}

// The list begins with what needs a person, and says why each campaign waits.
func TestListSaysWhyEachCampaignWaits(t *testing.T) {
	f := open(t, Options{})
	text := f.get("/campaigns").text
	order := []string{"Needs you", "On its way or in line", "Drafts and the ended"}
	at := 0
	for _, heading := range order {
		next := strings.Index(text[at:], heading)
		if next < 0 {
			t.Fatalf("no section %q after the one before it", heading)
		}
		at += next
	}
	for _, want := range []string{
		"Stopped by a breaker", "22 of 22 answers of the canary are SENDER_ID_MISMATCH", "Paused", "Wrong link", "Priority 5 goes first", "It cannot be sent as it is", "Not started",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
}

// How long others need that go first follows from their own rate, once they move.
func TestListSaysHowLongOthersGoFirst(t *testing.T) {
	f := open(t, Options{})
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{0, ", at least "}, {10 * time.Second, ", about "}} {
		after, want := c.after, c.want
		f.console.now = func() time.Time { return now.Add(after) }
		for i := range f.system.views {
			f.system.views[i].Books.Sent += int64(after / time.Second)
		}
		f.refresh()
		for _, page := range []string{"/campaigns", "/campaigns/low"} {
			if text := f.get(page).text; !strings.Contains(text, "goes first") || !strings.Contains(text, want) {
				t.Errorf("%s after %s does not say %q", page, after, want)
			}
		}
	}
}

func TestFiltersSelectCampaigns(t *testing.T) {
	f := open(t, Options{})
	for query, want := range map[string]struct{ shown, hidden string }{
		"?state=held": {"/campaigns/low", "/campaigns/completed"}, "?state=needs": {"/campaigns/tripped", "/campaigns/low"},
		"?q=compl": {"/campaigns/completed", "/campaigns/low"}, "?state=draft": {"/campaigns/draft", "/campaigns/running"},
	} {
		list := regexp.MustCompile(`(?s)<tbody>.*</tbody>`).FindString(f.get("/campaigns" + query).text)
		if !strings.Contains(list, want.shown) || strings.Contains(list, want.hidden) {
			t.Errorf("%s shows %v of %s, %v of %s", query, strings.Contains(list, want.shown), want.shown, strings.Contains(list, want.hidden), want.hidden)
		}
	}
}

func TestLettersAreGroupedByCause(t *testing.T) {
	f := open(t, Options{Operate: true})
	text := f.get("/dead?code=UNREGISTERED").text
	for _, want := range []string{"2 causes in 1 campaign<", "RETRIES_EXHAUSTED", `<b class="ink">2</b> match`, "u1", "u2"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, ">u3<") {
		t.Error("the page lists a letter that does not match")
	}
}

// Letters that the bounds have dropped are named, with the settings that dropped them, also when no
// letter is left.
func TestDroppedLettersAreNamed(t *testing.T) {
	for _, left := range []bool{true, false} {
		f := open(t, Options{})
		if f.system.dropped = 1200; !left {
			f.system.letters = nil
		}
		text := f.get("/dead").text
		for _, want := range []string{"<b>1,200</b> older letters were dropped", "responder.dead_max_length", "responder.dead_max_age"} {
			if !strings.Contains(text, want) {
				t.Errorf("with letters left %t the page does not say %q", left, want)
			}
		}
	}
	if text := open(t, Options{}).get("/dead").text; strings.Contains(text, "were dropped") {
		t.Error("the page says that letters were dropped, and none was")
	}
}

// An ended campaign has no deadline to look at, and one of anything is one.
func TestWordsFitTheirFigures(t *testing.T) {
	f := open(t, Options{})
	for i := range f.system.views {
		f.system.views[i].Spec.Deadline = now.Add(time.Hour)
	}
	f.refresh()
	for page, hasDeadline := range map[string]bool{"/campaigns/running": true, "/campaigns/completed": false} {
		if got := strings.Contains(f.get(page).text, ">Deadline<"); got != hasDeadline {
			t.Errorf("%s has a deadline: %v", page, got)
		}
	}
	f.system.letters = f.system.letters[:1]
	text := f.get("/dead").text
	if !strings.Contains(text, "1 cause in 1 campaign<") || !strings.Contains(text, "</b> matches") {
		t.Errorf("one letter is counted as %.2000s", text)
	}
}

// An action on the letters of a filter applies to these and no others.
func TestActionsOnLettersKeepTheFilter(t *testing.T) {
	f := open(t, Options{Operate: true, Prefix: "/fanfare"})
	text := f.get("/fanfare/dead?code=UNREGISTERED&user=u1").text
	for _, want := range []string{
		`data-dialog href="/fanfare/dead/replay?code=UNREGISTERED&amp;user=u1"`, `data-dialog href="/fanfare/dead/purge?code=UNREGISTERED&amp;user=u1"`,
		`data-dialog href="/fanfare/dead/replay?code=RETRIES_EXHAUSTED"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no link %s", want)
		}
	}
}

// A moment selects the letters since then; what is no moment selects none, and acts on none.
func TestLettersSinceAMoment(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	f.system.letters[0].At = now.Add(-48 * time.Hour)
	if text := f.get("/dead?since=2026-11-29T00:00").text; !strings.Contains(text, `<b class="ink">2</b> match`) || !strings.Contains(text, "since=2026-11-29T00%3A00") {
		t.Error("the page does not keep to the letters since then, or its actions do not")
	}
	if text := f.get("/dead?since=yesterday").text; !strings.Contains(text, "Since is no moment") {
		t.Error("what is no moment is not refused")
	}
	wantStatus(t, f.get("/dead/purge?since=yesterday"), http.StatusUnprocessableEntity)
	wantStatus(t, f.post("/dead/replay?since=yesterday", url.Values{}), http.StatusUnprocessableEntity)
}

// A page that cannot be refreshed keeps its figures and says how old they are.
func TestFiguresThatAreOldSaySo(t *testing.T) {
	f := open(t, Options{})
	f.system.mu.Lock()
	f.system.err = errors.New("dial redis://user:hunter2@db: refused")
	f.system.mu.Unlock()
	f.console.now = func() time.Time { return now.Add(2 * lateAge) }
	f.refresh()
	if text := f.get("/campaigns").text; !strings.Contains(text, `data-live="late"`) {
		t.Error("figures of ten seconds look fresh")
	}
	f.console.now = func() time.Time { return now.Add(2 * lostAfter) }
	f.refresh()
	text := f.get("/campaigns").text
	if !strings.Contains(text, `data-live="lost"`) || !strings.Contains(text, "/campaigns/running") {
		t.Error("the page does not keep its figures, or does not say that they are old")
	}
	r := f.request(http.MethodGet, "/campaigns", nil)
	r.Header.Set("Accept", "application/json")
	if text := f.send(r).text; strings.Contains(text, "hunter2") || !strings.Contains(text, "refused") {
		t.Errorf("the update says %.200s, want the error without the password", text)
	}
}
