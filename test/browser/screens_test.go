package browser

import (
	"maps"
	"strings"
	"testing"
)

// screens are all pages, each with a text that only it shows.
var screens = map[string]string{
	pathOf("sale") + "/report":             "UNREGISTERED",
	"/campaigns":                           "Summer sale, Wednesday",
	"/campaigns?state=needs":               "Orders of the other app",
	"/campaigns?q=nothing":                 "No campaign matches",
	pathOf("sale"):                         "The books balance, exactly",
	pathOf("wrong"):                        "SENDER_ID_MISMATCH",
	pathOf("slow"):                         "Time to go",
	pathOf("waits"):                        "Wrong link",
	pathOf("gone"):                         "Cancelled",
	pathOf("soon"):                         "Draft",
	pathOf("late"):                         "expired",
	pathOf("hours"):                        "When they are sent to",
	"/dead":                                "UNREGISTERED",
	"/dead?code=UNREGISTERED&user=dead-u1": "dead-u1",
	"/people":                              "One person’s whole story",
	"/people?user=dead-u1":                 "UNREGISTERED",
	"/people?user=ok-u1":                   "sent",
	"/people?user=stranger":                "stranger",
	pathOf("family"):                       "Hold-out group",
	pathOf("family") + "?person=person1":   "for person1, filled in",
	"/people?user=person1":                 "Removed as dead",
	"/people?user=person3":                 "gets no push from any campaign",
	"/people?user=twin2":                   "DUPLICATE",
	"/people?user=mover":                   "MOVED",
	"/quota":                               "The present minute",
}

// forms are pages that exist only where actions are allowed.
var forms = map[string]string{
	"/new":                       "Create the draft",
	pathOf("soon") + "/audience": "Load a file",
	pathOf("soon") + "/ready":    "Not checked yet",
}

// Every page shows what it is for, and is usable by everyone in all looks.
func testScreens(t *testing.T, w *world) {
	all := maps.Clone(screens)
	maps.Copy(all, forms)
	for path, text := range all {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ":"), func(t *testing.T) {
			t.Parallel()
			p := openTab(t, w.base)
			p.goTo(path)
			p.awaitText("main", text)
			p.judgeAll(path)
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		p := openTab(t, w.base)
		p.expect("404")
		for path, text := range map[string]string{pathOf("none"): "There is no such campaign", "/none": "There is no such page"} {
			p.goTo(path)
			p.awaitText("main", text)
			p.judge(path)
		}
	})
}

// A console without --operate shows no action, and its server does none.
func testReadOnly(t *testing.T, w *world) {
	base := w.console()
	for path, text := range screens {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ":"), func(t *testing.T) {
			t.Parallel()
			p := openTab(t, base)
			p.goTo(path)
			p.awaitText("main", text)
			if found := read[string](p, `[...document.querySelectorAll('main [data-dialog], main form[data-act]')].map((e) => e.outerHTML).join('\n')`); found != "" {
				t.Errorf("%s offers %s", path, found)
			}
			if !strings.HasSuffix(path, "/report") { // a document without the frame of a page
				p.awaitText(".who", "read only")
			}
		})
	}
	t.Run("request", func(t *testing.T) {
		t.Parallel()
		p := openTab(t, base)
		p.expect("403")
		for path := range forms {
			p.goTo(path)
			p.awaitText("main", "read only")
		}
		p.goTo(pathOf("slow"))
		if status := read[int](p, `fetch('/campaigns/slow/pause', { method: 'POST' }).then((r) => r.status)`); status != 403 {
			t.Errorf("a request to pause is answered %d, want 403", status)
		}
	})
}
