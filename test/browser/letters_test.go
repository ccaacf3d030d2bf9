package browser

import (
	"fmt"
	"strings"
	"testing"
)

// A letter is read whole, with its raw element. A replay at a low rate is stopped, and keeps the
// rest.
func testOneLetter(t *testing.T, w *world) {
	const id = "stopped"
	var rows, users strings.Builder
	for i := range 40 {
		fmt.Fprintf(&rows, "stop-%d,dead-stop-%d\n", i, i)
		fmt.Fprintf(&users, "stop-%d ", i)
	}
	w.draft(id, rows.String()+people("ok-", 900), "--rate", "100")
	if err := w.Redis.RPush(t.Context(), "campaign:"+id, "no element\x01").Err(); err != nil {
		t.Fatal(err)
	}
	w.Fanfare("campaign", "start", id)
	w.awaitLetters(id, 40)
	for _, user := range strings.Fields(users.String()) {
		if err := w.Redis.Set(t.Context(), "user:"+user+":token", "ok-again-"+user, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	p := openTab(t, w.base)
	p.goTo("/dead?campaign=" + id + "&user=stop-7")
	p.awaitText("[data-part=match]", "1 match")
	p.click("[data-part=rows] tbody td:first-child a", ":")
	p.awaitText(".letter-detail", "The letter, as it is kept")
	p.awaitText(".letter-detail", "stop-7")
	p.judgeAll("one letter")

	p.goTo("/dead?code=UNREGISTERED&campaign=" + id)
	p.awaitText("[data-part=match]", "40 match")
	p.click("[data-part=match] a[data-dialog]", "Replay")
	p.fill("dialog[open] [name=rate]", "1")
	p.click("dialog[open] [type=submit]", "Replay 40")
	p.awaitText(".toasts", "The replay begins in")
	p.awaitText(".work-panel", "of 40 letters")
	p.judge("a replay under way")
	p.click(".work-panel button", "Stop")
	p.awaitText(".work-panel", "Stopped.")
	p.awaitText("main", "Letters that were not replayed are still here.")
}

// A token is shown to one who asks for it, and the project's history says so.
func testReveal(t *testing.T, w *world) {
	if err := w.Redis.Set(t.Context(), "user:secret:token", "ok-a-token-that-is-to-stay-hidden", 0).Err(); err != nil {
		t.Fatal(err)
	}
	p := openTab(t, w.base)
	p.goTo("/people?user=secret")
	p.await("the token is masked", `!document.body.innerText.includes('is-to-stay-hidden')`)
	p.click("a[data-dialog]", "Reveal")
	p.awaitText("dialog[open]", "history records who looked")
	p.judge("the dialog of a token")
	p.click("dialog[open] [type=submit]", "Reveal")
	p.awaitText("[data-reveal]", "ok-a-token-that-is-to-stay-hidden")
	p.goTo("/quota")
	p.awaitText("[data-part=history]", "Token revealed: user secret")
}
