package console

import (
	"encoding/csv"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/responses"
)

// withLetters gives the system so many letters of u000, u001 and so on, the newest first.
func (f *fixture) withLetters(n int) {
	f.system.letters = nil
	for i := range n {
		l := responses.FailedLetter(failed(fmt.Sprintf("u%03d", i), "UNREGISTERED"), now)
		l.ID = fmt.Sprintf("letter-%03d", i)
		f.system.letters = append(f.system.letters, l)
	}
}

var (
	shownUsers = regexp.MustCompile(`user=(u\d{3})"`)
	pagerLinks = regexp.MustCompile(`rel="(prev|next)" href="([^"]+)"`)
)

// pager returns the addresses beside a page of letters: prev and next.
func pager(page string) map[string]string {
	links := make(map[string]string)
	for _, found := range pagerLinks.FindAllStringSubmatch(page, -1) {
		links[found[1]] = html.UnescapeString(found[2])
	}
	return links
}

// Every letter that matches stands on one of the pages that Older leads to, and Newer leads back.
func TestOlderLetters(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Prefix: "/fanfare"})
	f.withLetters(120)
	f.console.letters.forget()
	var seen, back []string
	at := "/fanfare/dead?code=UNREGISTERED"
	for i, want := range []string{"1 to 50 of 120, newest first.", "51 to 100 of 120", "101 to 120 of 120"} {
		page := f.get(at).text
		wantTexts(t, at, page, want, "120</b> match <span class=\"faint\">· ")
		for _, found := range shownUsers.FindAllStringSubmatch(page, -1) {
			seen = append(seen, found[1])
		}
		links := pager(page)
		if _, has := links["prev"]; has != (i > 0) {
			t.Errorf("page %d leads to newer ones: %v", i, has)
		}
		if _, has := links["next"]; has != (i < 2) {
			t.Errorf("page %d leads to older ones: %v", i, has)
		}
		back = append(back, at)
		if links["next"] != "" {
			at = links["next"]
		}
	}
	if len(seen) != 120 || !slices.IsSorted(seen) || len(slices.Compact(seen)) != 120 {
		t.Errorf("saw %d users: %q", len(seen), seen)
	}
	for i := 2; i > 0; i-- {
		if got := pager(f.get(back[i]).text)["prev"]; got != back[i-1] {
			t.Errorf("page %d leads back to %s, want %s", i, got, back[i-1])
		}
	}
	// A letter that is opened stays on its page, and a page whose first letter is gone says so.
	page := f.get(at + "&letter=letter-101").text
	wantTexts(t, "with a letter", page, `class="at"`, "101 to 120 of 120")
	f.withLetters(60)
	f.console.letters.forget()
	wantTexts(t, "gone", f.get(at).text, "The letter that this part began with is gone.", "1 to 50 of 60")
}

// The file has all letters that match, without tokens and formulas, and the histories say so.
func TestLettersAreExported(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Actor: "ops"})
	f.withLetters(120)
	const token = "fGx1abcdefghijklmnop:APA91bHun4MxP5egoKMwt2"
	f.system.letters[7].Result.UserID, f.system.letters[7].Reason = "=1+1", "refused "+token
	f.system.letters[8] = responses.FailedLetter(failed("other", "INVALID_ARGUMENT"), now)
	r := f.get("/dead/export?code=UNREGISTERED")
	wantStatus(t, r, http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(r.text)).ReadAll()
	if err != nil || len(rows) != 120 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[1], "|"); !strings.HasPrefix(got, now.Format(time.RFC3339)+"|") || !strings.HasSuffix(got, "|letter-000") {
		t.Errorf("first row %s", got)
	}
	if rows[8][2] != "'=1+1" || strings.Contains(r.text, token) || !strings.Contains(rows[8][4], "refused fGx1ab") {
		t.Errorf("row %q", rows[8])
	}
	if got := r.Header.Get("Content-Disposition"); got != `attachment; filename="dead letters.csv"` {
		t.Errorf("file %q", got)
	}
	if got := f.system.done(); !strings.HasPrefix(got, "note export of 119 of ") || !strings.HasSuffix(got, ", code UNREGISTERED by ops, console") {
		t.Errorf("recorded %q", got)
	}
	wantStatus(t, f.get("/dead/export?since=soon"), http.StatusUnprocessableEntity)
	f.system.lettersErr = errors.New("Redis went away")
	wantStatus(t, f.get("/dead/export"), http.StatusConflict)
}
