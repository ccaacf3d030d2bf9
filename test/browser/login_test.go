package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	operateToken = "a-token-of-operators"
	readToken    = "a-token-of-readers-only"
)

// Under a name beyond loopback, only a token lets a person in, with its role.
func testLogin(t *testing.T, w *world) {
	local := w.consoleWith([]string{"FANFARE_CONSOLE_TOKEN=" + operateToken, "FANFARE_CONSOLE_READ_TOKEN=" + readToken}, "--operate", "--host", otherHost)
	base := withHost(local, otherHost)

	p := openTab(t, base)
	p.do(chromedp.Navigate(base + "/dead"))
	p.awaitPath("/login")
	p.judgeAll("/login")
	p.expect("403")
	p.fill("[name=name]", "Ada")
	p.fill("[name=token]", "a-token-that-is-wrong")
	p.press(kb.Enter)
	p.awaitText("[role=alert]", "This token is not known")
	p.fill("[name=name]", "Ada")
	p.fill("[name=token]", operateToken)
	p.press(kb.Enter)
	p.awaitPath("/campaigns")
	p.awaitText(".who", "Ada · operate")
	p.goTo(pathOf("slow"))
	p.click(".head a[data-dialog]", "Pause")
	p.awaitText("dialog[open]", "Recorded as Ada, console")
	p.click("dialog[open] button", "Keep sending")
	p.click("button", "Log out")
	p.awaitPath("/login")
	p.do(chromedp.Navigate(base + pathOf("slow")))
	p.awaitPath("/login")

	reader := openTab(t, base)
	reader.do(chromedp.Navigate(base + "/"))
	reader.fill("[name=token]", readToken)
	reader.press(kb.Enter)
	reader.awaitPath("/campaigns")
	reader.goTo(pathOf("slow"))
	reader.awaitText(".who", "someone · read only")
	if n := read[int](reader, `document.querySelectorAll('main [data-dialog], main form[data-act]').length`); n != 0 {
		t.Errorf("a reader is offered %d actions", n)
	}

	stranger := openTab(t, withHost(w.base, otherHost))
	stranger.expect("421")
	stranger.do(chromedp.Navigate(stranger.base + "/campaigns"))
	stranger.awaitText("body", "This console is not served under this name")
}

// Behind a proxy's path, every link, script, stream and action keeps the path.
func testPrefix(t *testing.T, w *world) {
	base := w.console("--operate", "--path-prefix", "/push")
	p := openTab(t, base)
	for _, path := range []string{"/", pathOf("sale"), "/dead", "/quota"} {
		p.goTo(path)
		p.await("all links keep the prefix", `[...document.querySelectorAll('a[href], form[action]')].every((e) => /^#|^\/push\//.test(e.getAttribute('href') ?? e.getAttribute('action')))`)
	}
	p.goTo(pathOf("soon"))
	p.click(".head a[data-dialog]", "Start")
	p.awaitText("dialog[open]", "Start for 8")
	p.press(kb.Escape)
	p.press("gd")
	p.awaitPath("/push/dead")
}
