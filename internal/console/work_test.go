package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// eventually asks for a page until it says what is wanted.
func (f *fixture) eventually(page, want string) string {
	f.t.Helper()
	text := ""
	for range 1000 {
		if text = f.get(page).text; strings.Contains(text, want) {
			return text
		}
	}
	f.t.Fatalf("%s never says %q: %.3000s", page, want, text)
	return ""
}

var stopForm = regexp.MustCompile(`action="(/works/[^"]*/stop)"`)

// stop presses the one button that stops or undoes.
func (f *fixture) stop(text string) {
	f.t.Helper()
	button := stopForm.FindStringSubmatch(text)
	if button == nil {
		f.t.Fatalf("no button stops the work: %s", text)
	}
	wantStatus(f.t, f.post(button[1], url.Values{}), http.StatusOK)
}

// A replay waits before it begins. Undone meanwhile, it changes nothing.
func TestReplayCanBeUndoneUntilItBegins(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true, Actor: "ops"})
	f.console.undoFor = time.Hour
	wantStatus(t, f.post("/dead/replay?code=UNREGISTERED", url.Values{"rate": {"500"}}), http.StatusOK)
	text := f.eventually("/dead", "Nothing has changed yet")
	if !strings.Contains(text, "Undo") || !strings.Contains(text, "Replay of code UNREGISTERED") || !strings.Contains(text, "by ops") {
		t.Errorf("the page offers no undo, or does not say of what: %s", text)
	}
	f.stop(text)
	f.eventually("/dead", "Undone: nothing was changed")
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

// A replay shows how far it is, and can be stopped.
func TestReplayShowsItsProgressAndStops(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	f.system.replay = make(chan struct{})
	wantStatus(t, f.post("/dead/replay", url.Values{"rate": {""}}), http.StatusOK)
	f.stop(f.eventually("/dead", "2 of 3 letters"))
	close(f.system.replay)
	text := f.eventually("/dead", "Stopped. 2 letters are on the way again")
	if !strings.Contains(text, "Letters that were not replayed are still here") {
		t.Error("the page does not say where the rest is")
	}
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

func TestReplayRefusesABadRate(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	wantStatus(t, f.post("/dead/replay", url.Values{"rate": {"fast"}}), http.StatusUnprocessableEntity)
	if text := f.get("/dead").text; strings.Contains(text, "Replay of") {
		t.Error("a refused replay is shown")
	}
}

// A letter is shown whole with its raw element, whose bytes are escaped and whose token is masked.
func TestLetterShowsItsRawElement(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	l := responses.FailedLetter(failed("", notification.CodeMalformed), now)
	l.ID, l.Kind, l.Raw = "bad element", responses.KindElement, []byte("{\"userId\":<b>, \x00 \"fcmToken\":\""+aToken+"\"")
	f.system.letters = append(f.system.letters, l)
	for _, page := range []string{"/dead?letter=bad+element", "/dead?code=UNREGISTERED&letter=bad+element"} {
		text := f.get(page).text
		if !strings.Contains(text, "&#34;userId&#34;:&lt;b&gt;") || strings.Contains(text, aToken) || strings.Contains(text, "\x00") {
			t.Errorf("%s shows the element without an escape, with its token, or not at all: %s", page, text[strings.Index(text, "raw-h"):])
		}
	}
	if text := f.get("/dead?letter=u9").text; !strings.Contains(text, "This letter is gone") {
		t.Error("a letter that is gone is not said to be")
	}
}
