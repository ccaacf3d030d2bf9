package browser

import (
	"fmt"
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
