package browser

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Figures move without a reload, stop on demand, and say how old they are.
func testLive(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo(pathOf("slow"))
	const figure = `document.querySelector('[data-part=progress] .figure small').innerText`
	read[bool](p, `(window.sameDocument = true)`)
	before := read[string](p, figure)
	p.await("more have ended", figure+` !== `+quote(before)+` && window.sameDocument`)
	p.await("the charts are drawn from the table", `document.querySelectorAll('.plot canvas').length === 3 && document.querySelectorAll('#series tbody tr').length >= 1`)
	p.press(" ")
	p.awaitText("button[data-live]", "Paused")
	p.press(" ")
	p.awaitText("button[data-live]", "Live")
	after := read[string](p, figure)
	p.await("figures move again", figure+` !== `+quote(after))
}

// A filter applies as it is typed, and its address can be shared.
func testFilters(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo("/campaigns")
	const rows = `document.querySelectorAll('[data-rows] tbody tr:not(.group-row)').length`
	p.await("all are listed", rows+` >= 7`)
	p.fill("[data-filter]", "price")
	p.await("one is listed", rows+` === 1`)
	p.awaitPath("/campaigns?q=price")
	p.goTo("/campaigns?q=price")
	p.await("one is listed at once", rows+` === 1`)
	p.click(".tabs a", "Ended")
	p.awaitText("main", "No campaign matches")
	p.goTo("/campaigns?state=ended")
	p.await("some have ended", rows+` >= 3`)
	p.click(".tabs a", "All")
	p.awaitPath("/campaigns")
	p.goTo("/campaigns")
	read[bool](p, `(document.querySelector('[name=order]').value = 'newest', document.querySelector('[name=order]').dispatchEvent(new Event('input', { bubbles: true })), true)`)
	p.awaitPath("/campaigns?order=newest")

	p.goTo("/dead")
	p.click("table.causes a", "INVALID_ARGUMENT")
	p.awaitPath("/dead?code=INVALID_ARGUMENT")
	p.awaitText("[data-part=match]", fmt.Sprintf("%d match", 3))
	p.goTo("/dead")
	p.fill("[name=user]", "dead-u2")
	p.awaitText("[data-part=match]", "1 match")
}

// requests counts what a page asks the console for from now on, by what it accepts.
const countRequests = `(() => {
	window.asked = { stream: 0, poll: 0 };
	const fetched = window.fetch;
	window.fetch = (url, o) => { if (o?.headers?.Accept === 'application/json') window.asked.poll++; return fetched(url, o); };
	const source = window.EventSource;
	window.EventSource = class extends source { constructor(url) { super(url); window.asked.stream++; window.lastSource = this; } };
	return true;
})()`

// hide says whether the page is hidden, as the browser does for a tab in the background.
func (p *tab) hide(hidden bool) {
	p.t.Helper()
	read[bool](p, fmt.Sprintf(`(Object.defineProperty(document, 'hidden', { configurable: true, value: %v }), document.dispatchEvent(new Event('visibilitychange')), true)`, hidden))
}

// A page that is hidden asks for nothing, and asks again once it is seen.
func testHidden(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo(pathOf("slow"))
	const figure = `document.querySelector('[data-part=progress] .figure small').innerText`
	read[bool](p, countRequests)
	p.hide(false)
	p.await("a stream is open", `window.asked.stream === 1 && window.lastSource.readyState === 1`)
	p.hide(true)
	p.await("the stream is closed", `window.lastSource.readyState === 2`)
	before := read[string](p, figure)
	p.await("the figures are old", `document.querySelector('button[data-live]').dataset.live === 'late'`)
	if got := read[string](p, figure); got != before || read[int](p, `window.asked.stream + window.asked.poll`) != 1 {
		t.Errorf("a hidden page asks for figures, which are %s after %s", got, before)
	}
	p.hide(false)
	p.await("figures move again", figure+` !== `+quote(before))
}

// Where streams do not get through, the page asks by itself.
func testPolling(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo(pathOf("slow"))
	read[bool](p, countRequests)
	read[bool](p, `(window.EventSource = class { constructor() { setTimeout(() => this.onerror?.(), 0); } close() {} }, true)`)
	p.hide(true)
	for range 3 { // each start fails once
		p.hide(false)
	}
	const figure = `document.querySelector('[data-part=progress] .figure small').innerText`
	p.await("the page polls", `window.asked.poll >= 2`)
	before := read[string](p, figure)
	p.await("figures move", figure+` !== `+quote(before))
}

// A page whose console is gone keeps its figures, and says that they are old.
func testLost(t *testing.T, w *world) {
	console := w.Start(nil, "fanfare", "console", "--listen", "127.0.0.1:0")
	w.Eventually("the console serves", func() bool { return strings.HasSuffix(string(console.Stdout()), "/\n") })
	_, address, _ := strings.Cut(strings.TrimSpace(string(console.Stdout())), "console: ")
	p := openTab(t, strings.TrimSuffix(address, "/"))
	p.expect("ERR_CONNECTION_REFUSED")
	p.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
	p.expect("ERR_CONNECTION_RESET")
	p.expect("ERR_EMPTY_RESPONSE")
	p.goTo("/campaigns")
	console.Signal(os.Kill)
	p.awaitText("button[data-live]", "Lost · the numbers are")
	p.awaitText("main table", "Summer sale, Wednesday")
	p.judge("a page whose console is gone")
}

// A filter works on a page that is paused, which stays paused.
func testPausedFilter(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo("/campaigns")
	p.press(" ")
	p.awaitText("button[data-live]", "Paused")
	p.fill("[data-filter]", "price")
	p.await("one is listed", `document.querySelectorAll('[data-rows] tbody tr:not(.group-row)').length === 1`)
	p.awaitText("button[data-live]", "Paused")
}
