package campaign_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// of returns the campaigns of the same Redis for the dispatcher of a project.
func of(t *testing.T, b *backends.Backend, project string) fixture {
	t.Helper()
	return openOn(t, b.Redis, b.Redis, campaign.Options{Project: project, ScanEvery: time.Nanosecond})
}

// joined returns the ids of specs in one line.
func joined(specs []campaign.Spec) string { return strings.Join(idsOf(specs), " ") }

// A campaign is served only by its own project. One that names none is served and kept by the
// only project there is.
func servesItsOwnProject(t *testing.T, b *backends.Backend) {
	f, a := open(t, b), of(t, b, "a")
	f.create("early", campaign.Running)
	if got := joined(a.discover().Running); got != "early" || f.get("early").Project != "a" {
		t.Fatalf("the only project serves %q, and the campaign is of project %q", got, f.get("early").Project)
	}
	bee := of(t, b, "b")
	f.create("late", campaign.Running)
	if err := f.Create(t.Context(), campaign.Spec{ID: "named", State: campaign.Running, Message: message, Project: "b"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, c := range []struct {
			at      fixture
			running string
			says    []string
		}{
			{bee, "named", []string{"early belongs to the Firebase project a", "late names no Firebase project, and several send from this Redis: a, b;"}},
			{a, "early", []string{"late names no Firebase project", "named belongs to the Firebase project b, and this dispatcher sends for a"}},
		} {
			d := c.at.discover()
			if got := joined(d.Running); got != c.running {
				t.Errorf("served are %q, want %q", got, c.running)
			}
			for i, says := range c.says {
				if len(d.Elsewhere) != len(c.says) || !strings.Contains(d.Elsewhere[i].Err.Error(), says) {
					t.Errorf("elsewhere are %v, want %q", d.Elsewhere, c.says)
				}
			}
		}
	}
	both := openOn(t, b.Redis, b.Redis, campaign.Options{Project: "a", Served: []string{"a", "b"}, ScanEvery: time.Nanosecond})
	if d := both.discover(); len(d.Elsewhere) != 1 || d.Elsewhere[0].ID != "late" || joined(d.Running) != "early" {
		t.Errorf("a process that serves both projects runs %q and lists elsewhere %v, want only the campaign without a project", joined(d.Running), d.Elsewhere)
	}
	for _, id := range []string{"late", "named"} {
		_, err := a.Adopt(t.Context(), id)
		if _, refused := errors.AsType[*campaign.ProjectError](err); !refused {
			t.Errorf("a Job of another project for %s: %v", id, err)
		}
	}
	if err := f.Change(t.Context(), "late", campaign.Change{Project: new("b")}); err != nil {
		t.Fatal(err)
	}
	if got := joined(bee.discover().Running); got != "late named" {
		t.Errorf("served once the project is named: %q", got)
	}
	if _, err := bee.Adopt(t.Context(), "late"); err != nil {
		t.Error(err)
	}
	// After the other project is forgotten and no campaign names it, the only one serves
	// campaigns without a project.
	f.create("last", campaign.Running)
	f.move("early", campaign.Cancelled)
	if err := f.ForgetProject(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := joined(bee.discover().Running); got != "last late named" {
		t.Errorf("served once the other project is forgotten: %q", got)
	}
}

// A scheduled draft is started by its own project only, whose dispatchers check whether it may.
func startsItsOwnDrafts(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	past := b.Redis.Time(t.Context()).Val().Add(-time.Second)
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "42", Message: message, StartAt: past, Project: "b"}))
	f.push("42", 1)
	of(t, b, "a").discover()
	wantEqual(t, "state after a look of another project", f.get("42").State, campaign.Draft)
	of(t, b, "b").discover()
	wantEqual(t, "state after a look of its own", f.get("42").State, campaign.Running)
}

// One campaign with a mistyped project holds up those that name none. The message says which one
// it is, and how to correct it.
func tellsAMistakenProject(t *testing.T, b *backends.Backend) {
	f, a := open(t, b), of(t, b, "a")
	if err := f.Create(t.Context(), campaign.Spec{ID: "it's", State: campaign.Running, Message: message, Project: "0a"}); err != nil {
		t.Fatal(err)
	}
	f.create("none", campaign.Running)
	d := a.discover()
	if len(d.Running) != 0 || len(d.Elsewhere) != 2 {
		t.Fatalf("served %v, elsewhere %v", d.Running, d.Elsewhere)
	}
	const want = "campaign none names no Firebase project, and several send from this Redis: 0a, a; say whose it is with: fanfare campaign set none --project a; " +
		`of 0a no dispatcher was seen, and campaign it's names it: if that is a mistake, correct it with: fanfare campaign set 'it'\''s' --project a`
	if got := d.Elsewhere[1].Err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.ok(f.Change(t.Context(), "it's", campaign.Change{Project: new("a")}))
	if got := joined(a.discover().Running); got != "it's none" {
		t.Errorf("served once it is corrected: %q", got)
	}
	of(t, b, "b").discover()
	f.create("late", campaign.Running)
	got := a.discover().Elsewhere[0].Err.Error()
	if !strings.HasSuffix(got, ": a, b; say whose it is with: fanfare campaign set late --project a; forget one that is gone with: fanfare project forget PROJECT") {
		t.Errorf("of two that send: %s", got)
	}
}

// A project is known by the same campaign, in whatever order the campaigns are listed. A campaign
// that has ended names none.
func listsTheSameProjects(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	ids := []string{"ended", "m", "b", "z", "k", "a2"} // the newest of a listing is the first
	for _, id := range ids {
		if err := f.Create(t.Context(), campaign.Spec{ID: id, State: campaign.Draft, Message: message, Project: "named"}); err != nil {
			t.Fatal(err)
		}
	}
	f.move("ended", campaign.Cancelled)
	if err := f.Create(t.Context(), campaign.Spec{ID: "a1", State: campaign.Draft, Message: message, Project: "other"}); err != nil {
		t.Fatal(err)
	}
	listed, err := f.List(t.Context())
	f.ok(err)
	of := func(listed []campaign.Summary) []campaign.Project {
		known, err := f.ProjectsOf(t.Context(), listed)
		f.ok(err)
		return known
	}
	want := []campaign.Project{{ID: "named", NamedBy: "a2"}, {ID: "other", NamedBy: "a1"}}
	wantEqual(t, "of a listing", fmt.Sprint(of(listed)), fmt.Sprint(want))
	slices.Reverse(listed)
	wantEqual(t, "of a listing in another order", fmt.Sprint(of(listed)), fmt.Sprint(want))
	known, err := f.Projects(t.Context())
	f.ok(err)
	wantEqual(t, "of the registry", fmt.Sprint(known), fmt.Sprint(want))
}

// Of projects that run Discover at the same moment, one adopts a campaign without a project. The
// others cannot claim from it.
func takesOnceAmongProjects(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("42", campaign.Running)
	if err := b.Redis.RPush(t.Context(), "campaign:42", `{"userId":1}`, `{"userId":2}`, `{"userId":3}`).Err(); err != nil {
		t.Fatal(err)
	}
	spec := f.get("42") // as each read it before any of them adopted it
	var mu sync.Mutex
	var side sync.WaitGroup
	served := make(map[string]bool)
	for _, project := range []string{"a", "b", "c"} {
		at := of(t, b, project)
		side.Go(func() {
			d, err := at.Discover(t.Context())
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if len(d.Running) > 0 {
				served[project] = true
			}
		})
	}
	side.Wait()
	owner := f.get("42").Project
	if len(served) != 1 || !served[owner] {
		t.Errorf("served by %v, want by its project %q alone", served, owner)
	}
	spec.Project = owner
	for _, project := range []string{"a", "b", "c"} {
		q, err := of(t, b, project).QueueOf(spec)
		if err != nil {
			t.Fatal(err)
		}
		lease, err := q.Claim(t.Context(), queue.NewID(), 1)
		closed, refused := errors.AsType[*queue.GateClosedError](err)
		if refused != (project != owner) || refused && closed.Name != "project" || !refused && len(lease.Elements) != 1 {
			t.Errorf("project %s claims of %s's: %d, %v", project, owner, len(lease.Elements), err)
		}
	}
}

// leavesACampaignTakenMeanwhile: another project takes the campaign after Adopt has looked at it.
func leavesACampaignTakenMeanwhile(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("42", campaign.Running)
	hook := &before{word: "ann", do: func() { f.hset(f.key("42", "spec"), "project", "b") }}
	g := openOn(t, b.WithHook(t, hook), b.Redis, campaign.Options{Project: "a", Actor: "ann"})
	_, err := g.Adopt(t.Context(), "42")
	if _, refused := errors.AsType[*campaign.ProjectError](err); !refused {
		t.Errorf("adopt: %v, want the other project named", err)
	}
	wantEqual(t, "taken meanwhile", hook.do == nil, true)
	wantEqual(t, "project", f.get("42").Project, "b")
}
