package browser

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// A campaign is made with a source, which the command that its page shows loads. Then the source is
// changed in the console.
func testSource(t *testing.T, w *world) {
	const id = "from & source"
	p := openTab(t, w.base)
	p.goTo("/new")
	p.fill("[name=message]", servers.PlainMessage)
	p.fill("[name=id]", id)
	p.click("main summary", "Where the audience comes from")
	p.await("fields of no kind are hidden", `![...document.querySelectorAll('.source textarea, .source input')].some((e) => e.checkVisibility())`)
	p.pick("[name=source]", "files")
	p.fill("[name=source_files]", "users.csv")
	p.expect("422")
	p.click("main [type=submit]", "Create the draft")
	p.awaitText("[data-error=source]", `It has the file "users.csv", want an absolute path`)
	p.judgeAll("a form with a wrong source")
	p.pick("[name=source]", "query")
	p.await("the problem goes with what it was about", `document.querySelector('[data-error=source]').hidden`)
	p.await("the files are hidden", `!document.querySelector('[name=source_files]').checkVisibility()`)
	p.fill("[name=source_query]", "SELECT 'ok-' || n AS user_id FROM (SELECT 1 AS n UNION ALL SELECT 2)")
	p.fill("[name=source_key]", "user_id")
	p.fill("[name=source_where]", `userId != "ok-2"`)
	p.judgeAll("a form with a query")
	p.click("main [type=submit]", "Create the draft")

	p.awaitPath(pathOf(id) + "/audience")
	p.awaitText("[data-part=command]", "fanfare load 'from & source'")
	p.awaitText("[data-part=progress]", "not loaded")
	p.judgeAll("a source that is not loaded")
	w.Fanfare("load", id)
	p.awaitText("[data-part=progress]", "loaded: 1 recipient")

	p.pick("[name=source]", "files")
	p.fill("[name=source_files]", "users.csv")
	p.click("main form[data-act] [type=submit]", "Save the source")
	p.awaitText("[data-error=source]", `The source has the file "users.csv", want an absolute path`)
	cut := w.File("cut.json", cutOff())
	p.fill("[name=source_files]", cut)
	p.click("main form[data-act] [type=submit]", "Save the source")
	p.awaitText(".toasts", "Saved the source of "+id)
	p.awaitText("[data-part=progress]", "not loaded")
	w.Start(nil, "fanfare", "load", id, "--append").ExpectExit(2)
	p.awaitText("[data-part=progress]", "partly loaded")
	p.judgeAll("a source that is loaded in part")
	p.goTo(pathOf(id))
	p.awaitText("[data-part=facts]", ", partly loaded")
	p.click("[data-part=facts] a", cut)
	p.awaitPath(pathOf(id) + "/audience")

	p.fill("[name=source_files]", "/data/other.csv")
	p.awaitText("main form[data-act]", "Give up the rest of the present source")
	p.await("the form asks for it", `!document.querySelector('main form[data-act]').checkValidity()`)
	p.click("main form[data-act] label.check", "Give up the rest")
	p.click("main form[data-act] [type=submit]", "Save the source")
	p.awaitText(".toasts", "fanfare load 'from & source' --append")
	p.awaitText("[data-part=progress]", "not loaded")
	p.await("nothing is left to give up", `!document.querySelector('[name=partial]')`)
}

// cutOff returns an audience whose end is missing. A compressed one would be refused as a whole.
func cutOff() string {
	var all strings.Builder
	all.WriteByte('[')
	for i := range 2500 {
		fmt.Fprintf(&all, "{\"userId\":\"cut-%d\"},", i)
	}
	return all.String()
}
