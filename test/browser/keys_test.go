package browser

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// ctrlK opens the palette.
func (p *tab) ctrlK() {
	p.t.Helper()
	p.press("k", kb.ModifierCtrl)
	p.await("the palette is open and has found something", `document.querySelector('#palette').open && document.querySelector('#palette a.at')`)
}

// hasFocus waits until an element that a selector finds has the focus.
func (p *tab) hasFocus(selector string) {
	p.t.Helper()
	p.await(selector+" has the focus", `document.activeElement?.matches(`+quote(selector)+`)`)
}

func testPalette(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo("/campaigns")
	p.ctrlK()
	p.judge("the palette")
	p.press("summer")
	p.await("only the sale is found", `document.querySelectorAll('#palette a[href^="/campaigns/"]').length === 1`)
	p.press(kb.Enter)
	p.awaitPath(pathOf("sale"))

	p.goTo("/campaigns")
	p.ctrlK()
	first := read[string](p, `document.querySelector('#palette a.at').href`)
	p.press(kb.ArrowDown)
	p.await("another line is chosen", `document.querySelectorAll('#palette a.at').length === 1 && document.querySelector('#palette a.at').href !== `+quote(first))
	p.press(kb.ArrowUp)
	p.await("the first line is chosen again", `document.querySelector('#palette a.at').href === `+quote(first))
	p.press(kb.Escape)
	p.await("the palette is closed", `!document.querySelector('#palette').open`)
}

func testKeys(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo("/campaigns")
	const at = `[...document.querySelectorAll('[data-rows] tbody tr:not(.group-row)')].findIndex((r) => r.classList.contains('at'))`
	p.press("j")
	p.await("the first row is chosen", at+` === 0`)
	p.press("jj")
	p.await("the third row is chosen", at+` === 2`)
	p.press("k")
	p.await("the second row is chosen", at+` === 1`)
	href := read[string](p, `document.querySelector('tr.at a').pathname`)
	p.hasFocus(`tr.at a`)
	p.press(kb.Enter)
	p.awaitPath(href)

	p.goTo("/campaigns")
	p.press("/")
	p.hasFocus("[data-filter]")
	p.press("j?t") // letters in a field
	p.await("the field has the letters", `document.activeElement.value === 'j?t' && !document.querySelector('dialog[open]')`)

	p.goTo("/dead")
	p.press("?")
	p.await("the keys are shown", `document.querySelector('#keys').open`)
	p.judge("the keys")
	p.press(kb.Escape)
	p.await("the keys are closed", `!document.querySelector('#keys').open`)
	p.press("gq")
	p.awaitPath("/quota")
	p.await("the page is ready", `document.readyState === 'complete'`)
	p.press("gc")
	p.awaitPath("/campaigns")
}

// A dialog takes the focus, keeps it, and gives it back.
func testFocus(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo(pathOf("slow"))
	p.press("p")
	p.awaitText("dialog[open]", "Pause Price drops?")
	p.judgeAll("the dialog")
	p.await("the focus is in the dialog", `document.activeElement.closest('dialog')`)
	p.press(kb.Escape)
	p.await("no dialog is open", `!document.querySelector('dialog[open]')`)

	for name, open := range map[string]func(){
		"a[data-dialog]":         func() { p.click("a[data-dialog]", "Cancel") },
		"button[data-open=keys]": func() { p.press(kb.Enter) },
		".jump":                  func() { p.press(kb.Enter) },
	} {
		read[bool](p, `(document.querySelector(`+quote(name)+`).focus(), true)`)
		open()
		p.await("a dialog is open", `document.querySelector('dialog[open]')`)
		p.press(kb.Escape)
		p.await("no dialog is open", `!document.querySelector('dialog[open]')`)
		p.hasFocus(name)
	}

	p.goTo("/campaigns")
	p.press(kb.Tab)
	p.hasFocus(".skip")
	p.press(kb.Enter)
	p.hasFocus("main")
}
