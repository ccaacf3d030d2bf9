package browser

import "testing"

const ground = `getComputedStyle(document.body).backgroundColor`

// The system's theme holds until a person chooses another one, which stays.
func testTheme(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.prefer("light")
	p.goTo(pathOf("slow"))
	light := read[string](p, ground)
	p.prefer("dark")
	dark := read[string](p, ground)
	if light == dark {
		t.Fatalf("the ground is %s in light and in dark", light)
	}
	p.press("t")
	p.await("t makes the page light", ground+` === `+quote(light))
	p.awaitCookie("light")
	p.goTo("/quota")
	p.await("the next page is light", ground+` === `+quote(light))
	p.click("button[data-theme-flip]", "")
	p.await("the button makes the page dark", ground+` === `+quote(dark))
	p.awaitCookie("dark")
	p.prefer("light")
	p.goTo("/dead")
	p.await("the choice outdoes the system", ground+` === `+quote(dark))
}

// awaitCookie waits until the choice of a theme will outlast the page.
func (p *tab) awaitCookie(theme string) {
	p.t.Helper()
	p.await("the server knows the theme "+theme, `await fetch(location.href).then((r) => r.text()).then((text) => text.includes('data-theme="`+theme+`"'))`)
}
