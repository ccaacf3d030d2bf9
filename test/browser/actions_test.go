package browser

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// act opens a dialog by its button, waits for the effect that it states, and confirms.
func (p *tab) act(button, effect, confirm string) {
	p.t.Helper()
	p.click(".head a[data-dialog]", button)
	p.awaitText("dialog[open]", effect)
	p.click("dialog[open] [type=submit]", confirm)
	p.await("the dialog is closed", `!document.querySelector('dialog[open]')`)
}

// One campaign from its start to its deletion, by the console alone.
func testSteering(t *testing.T, w *world) {
	const id = "steer & go/1"
	w.draft(id, people("ok-", 5000), "--rate", "20")
	p := openTab(t, w.base)
	p.goTo(pathOf(id))
	p.act("Start", "5,000", "Start for 5,000")
	p.awaitText(".toasts", "Started "+id)
	p.awaitText("[data-part=state]", "Running")
	w.Sim.AwaitAccepted(1)

	p.fill("#f-rate", "40")
	p.fill("#f-prio", "12")
	p.expect("422")
	p.click("main form[data-ask] [type=submit]", "Change the pace…")
	p.awaitText("main form[data-ask] .problem", `Priority is "12", want 0 to 9`)
	p.judge("a form with a problem")
	p.fill("#f-prio", "3")
	p.click("main form[data-ask] [type=submit]", "Change the pace…")
	p.awaitText("dialog[open]", "40 a second")
	p.judge("the dialog of a pace")
	p.click("dialog[open] [type=submit]", "Change it for")
	p.awaitText("[data-part=facts]", "40 /s")
	p.awaitText("[data-part=facts]", "3")

	p.click(".head a[data-dialog]", "Pause")
	p.fill("dialog[open] [name=reason]", "the link is wrong")
	p.awaitText("dialog[open]", "Not sent to until you resume")
	p.click("dialog[open] [type=submit]", "Pause")
	p.awaitText("[data-part=why]", "The link is wrong")
	p.awaitText("[data-part=state]", "Paused")
	p.judge("toasts")
	if v := w.show(id); v.State != "paused" {
		t.Errorf("the campaign is %s", v.State)
	}
	p.act("Resume", "Will be sent to", "Resume")
	p.awaitText("[data-part=state]", "Running")

	p.act("Cancel", "Will not be sent to", "Cancel for")
	p.awaitText("[data-part=state]", "Cancelled")
	p.click(".head a[data-dialog]", "Delete")
	p.await("the button waits for the id", `document.querySelector('dialog[open] [type=submit]').disabled`)
	p.fill("dialog[open] [name=type]", "steer")
	p.await("a part of the id is not enough", `document.querySelector('dialog[open] [type=submit]').disabled`)
	p.fill("dialog[open] [name=type]", id)
	p.judge("the dialog of a deletion")
	p.click("dialog[open] [type=submit]", "Delete")
	p.awaitPath("/campaigns")
	if n := w.Redis.Exists(t.Context(), "{campaign:"+id+"}:spec").Val(); n != 0 {
		t.Error("the campaign is still there")
	}
}

// Letters are replayed and purged as the filter says; the numbers are those of the dialog.
func testLetters(t *testing.T, w *world) {
	rows := people("ok-", 900)
	for i := range 3 {
		rows = fmt.Sprintf("mail-%d,dead-mail-%d\n", i, i) + rows
	}
	w.draft("mail", rows, "--rate", "20")
	w.Fanfare("campaign", "start", "mail")
	w.awaitLetters("mail", 3)
	p := openTab(t, w.base)
	p.goTo("/dead?campaign=mail")
	p.awaitText("[data-part=match]", "3 match")
	for _, user := range []string{"mail-0", "mail-1"} { // they have a token again
		if err := w.Redis.Set(t.Context(), "user:"+user+":token", "ok-again-"+user, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	p.click("[data-part=match] a[data-dialog]", "Replay")
	p.awaitText("dialog[open]", "For campaign mail")
	p.judge("the dialog of a replay")
	p.click("dialog[open] [type=submit]", "Replay 2")
	p.click(".work-panel button", "Undo")
	p.awaitText(".work-panel", "Undone: nothing was changed.")
	p.judge("a replay that was undone")
	p.click("[data-part=match] a[data-dialog]", "Replay")
	p.click("dialog[open] [type=submit]", "Replay 2")
	p.awaitText("main", "2 letters are on the way again. 1 is kept")
	p.awaitText("[data-part=match]", "1 match")

	p.click(".head a[data-dialog]", "Purge")
	p.awaitText("dialog[open]", "Deleted for good")
	p.fill("dialog[open] [name=type]", "1")
	p.click("dialog[open] [type=submit]", "Purge 1")
	p.awaitText(".toasts", "Purged 1 letter.")
	w.awaitHistory("mail", "purged 1 dead letter")
	p.awaitText("[data-part=match]", "0 match")
	p.goTo("/dead")
	p.awaitText("main", "UNREGISTERED")
}

// A draft is made, loaded from a file, checked and started in the console alone.
func testCreating(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo("/new")
	p.fill("[name=message]", `{"notification":{"title":"Hello","body":7}}`)
	p.awaitText("[data-faults]", "body")
	p.judge("a form with a broken message")
	p.fill("[name=message]", `{"notification":{"title":"Hello ${name}"}}`)
	p.awaitText("[data-faults]", "1 placeholder is of another system")
	p.awaitText("[data-faults]", "Write {{name}}.")
	p.judgeAll("a form with a placeholder of another system")
	p.fill("[name=message]", servers.PlainMessage)
	p.fill("[name=id]", "made")
	p.fill("[name=name]", "Made in the browser")
	p.pick("[name=devices]", "latest")
	p.pick("[name=dedupe]", "user")
	p.click("main [type=submit]", "Create the draft")
	p.awaitPath(pathOf("made") + "/audience")
	if made := w.show("made"); made.Devices != "latest" || made.Dedupe != "user" {
		t.Errorf("made %+v, want the last device, and once per user", made)
	}
	p.choose("[data-file]", w.File("audience.csv", header+people("ok-", 30)))
	p.click("[data-upload] [type=submit]", "Load")
	p.awaitText("[data-part=loaded]", "30 recipients are loaded")
	p.judge("a file that was loaded")
	p.goTo(pathOf("made") + "/ready")
	p.click(".head button", "Check now")
	p.await("the check is over", `document.querySelector('[data-part=report] .checks')`)
	p.judgeAll("the report of a check")
	p.act("Start", "30", "Start for 30")
	w.awaitState("made", "completed")
	p.goTo(pathOf("made"))
	p.awaitText("[data-part=state]", "Completed")
}

// The message is shown as one person gets it, and sent to one token outside the campaign's books.
func testTrying(t *testing.T, w *world) {
	p := openTab(t, w.base)
	p.goTo(pathOf("soon"))
	p.fill("[name=person]", "ok-u1")
	p.click(".person-form button", "Show theirs")
	p.awaitPath(pathOf("soon") + "?person=ok-u1")
	p.await("the page is live", `document.querySelector('.live-text')?.textContent.startsWith('Live ·')`)
	p.awaitText("main", "Doors open")
	p.click("a[data-dialog]", "Test send")
	p.awaitText("dialog[open]", "It is in no figure of the campaign")
	p.judge("the dialog of a test")
	p.fill("dialog[open] [name=token]", "test-of-the-console")
	p.click("dialog[open] [type=submit]", "Send the test")
	p.awaitText(".toasts", "Sent to")
	p.click("a[data-dialog]", "Test send")
	p.fill("dialog[open] [name=fid]", "fid-of-the-console")
	p.click("dialog[open] .check-row", "Only let FCM check it")
	p.click("dialog[open] [type=submit]", "Send the test")
	p.awaitText(".toasts", "Checked for")
	if n := len(w.Sim.Ledger()["fid-of-the-console"]); n != 0 {
		t.Errorf("FCM got %d messages for an address that was to be checked, want none", n)
	}
	if n := len(w.Sim.Ledger()["test-of-the-console"]); n != 1 {
		t.Errorf("FCM got %d messages for the token, want one", n)
	}
	if b := w.show("soon").Books; b.Ended() != 0 {
		t.Errorf("the books count the test: %+v", b)
	}
}

// show fetches a campaign, whose books must balance.
func (w *world) show(id string) (v servers.View) {
	w.t.Helper()
	if err := json.Unmarshal(w.Fanfare("campaign", "show", id, "--json"), &v); err != nil {
		w.t.Fatal(err)
	}
	return v
}

// awaitHistory waits until the history of a campaign says something.
func (w *world) awaitHistory(id, what string) {
	w.t.Helper()
	w.Eventually("the history says "+what, func() bool { return strings.Contains(string(w.Fanfare("campaign", "history", id)), what) })
}

// withHost is a console's address under another name.
func withHost(base, name string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	u.Host = name + ":" + u.Port()
	return u.String()
}

// TestHalt halts the project and resumes it, which every page shows.
func TestHalt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.draft("slow", people("ok-", 12_000), "--rate", "20")
	w.Fanfare("campaign", "start", "slow")
	w.Sim.AwaitAccepted(1)
	p := openTab(t, w.base)
	p.goTo("/quota")
	p.click("a[data-dialog]", "Halt the project")
	p.fill("dialog[open] [name=reason]", "wrong app")
	p.click("dialog[open] [type=submit]", "Halt")
	p.awaitText("[data-part=stop]", "wrong app")
	p.awaitText(".minute", "halted")
	p.judgeAll("a halted project")
	p.goTo("/campaigns?state=held")
	p.awaitText("main table", "The project is halted: Wrong app")
	p.goTo(pathOf("slow"))
	p.awaitText("[data-part=state]", "Held")
	p.judgeAll("a held campaign")
	p.goTo("/quota")
	p.click("a[data-dialog]", "Resume the project")
	p.click("dialog[open] [type=submit]", "Resume")
	p.awaitText(".minute", "open")
	p.awaitText("[data-part=history]", "Halted: wrong app")
	p.awaitText("[data-part=history]", "Resumed")
	p.goTo(pathOf("slow"))
	p.awaitText("[data-part=state]", "Running")
}
