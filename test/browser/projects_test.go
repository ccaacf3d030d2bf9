package browser

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fanfare/test/servers"
)

// Several Firebase projects are shown side by side. Each can be halted and resumed on its own, and
// the page of a campaign leads to its project.
func TestProjects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, db := filepath.Join(dir, "fanfare.yaml"), filepath.Join(dir, "fanfare.db")
	if err := os.WriteFile(file, []byte("projects:\n  my-news: {}\n  my-shop: {pacing: {per_minute: 60000}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, System: servers.NewSystem(t, programs, servers.SystemOptions{
		Database: "sqlite:" + db, Env: []string{"FCM_PROJECT_ID=", "FANFARE_CONFIG=" + file},
	})}
	makeUsers(t, db)
	w.Start(nil, "dispatcher")
	w.base = w.console("--operate")
	w.draft("sale", people("ok-", 3000), "--project", "my-shop", "--rate", "5")
	w.Fanfare("campaign", "start", "sale")
	w.draft("blog", people("ok-", 1))
	// It is of a project that other settings have, such as those of another fleet.
	if err := w.Redis.HSet(t.Context(), "{campaign:blog}:spec", "project", "my-blog").Err(); err != nil {
		t.Fatal(err)
	}

	p := openTab(t, w.base)
	p.goTo("/quota")
	p.awaitText(".side", "2 projects")
	p.awaitText("[data-part=projects]", "my-news")
	p.await("the campaign that runs is counted", `[...document.querySelectorAll("tr:has(a[href='/projects/my-shop/halt']) .num")].some((e) => e.innerText === '1')`)
	p.click("[data-part=projects] a[href='/projects/my-shop/halt']", "Halt")
	p.awaitText("dialog[open]", "Halt my-shop?")
	p.awaitText("dialog[open]", "Campaigns that stop")
	p.fill("dialog[open] [name=reason]", "the link is wrong")
	p.click("dialog[open] [type=submit]", "Halt 1")
	p.awaitText(".toasts", "Halted my-shop.")
	p.awaitText("[data-part=projects] tbody tr:first-child", "The link is wrong")
	p.awaitText("[data-part=minute]", "1 of 2 stopped")
	p.judgeAll("several projects")

	p.goTo(pathOf("sale"))
	p.awaitText("[data-part=why]", "The project is halted")
	p.click("[data-part=facts] a", "my-shop")
	p.awaitPath("/projects/my-shop")
	p.awaitText("main", "What is in force")
	p.judgeAll("one of several projects")
	p.act("Resume", "All halts end", "Resume")
	p.awaitText(".toasts", "Resumed my-shop.")
	p.awaitText("[data-part=history]", "the link is wrong")
	w.Sim.AwaitAccepted(1)

	p.goTo("/new")
	const listed = `[...document.querySelector('[name=project]').list.options].map((o) => o.value)`
	if got := read[[]string](p, listed); !slices.Equal(got, []string{"my-blog", "my-news", "my-shop"}) {
		t.Errorf("the form lists the projects %q, want those of the settings and of campaigns", got)
	}
	p.fill("[name=id]", "listed")
	p.fill("[name=project]", read[string](p, listed+`[2]`))
	p.click("main [type=submit]", "Create the draft")
	p.awaitPath(pathOf("listed") + "/audience")
	if project := w.Redis.HGet(t.Context(), "{campaign:listed}:spec", "project").Val(); project != "my-shop" {
		t.Errorf("the campaign is of %q, want the project of the list, my-shop", project)
	}
	p.expect("404")
	p.goTo("/projects/other")
	p.awaitText("main", "There is no such project")
	p.judge("an unknown project")
}
