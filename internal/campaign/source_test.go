package campaign_test

import (
	"errors"
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/test/backends"
)

// withSource is a spec whose audience is in a file.
func withSource(id, name string) campaign.Spec {
	return campaign.Spec{ID: id, Message: []byte(`{"notification":{"title":"Hello"}}`), Source: campaign.Source{Files: []string{name}}}
}

// The books follow the source of a campaign through an interrupted load to its end. Meanwhile no
// other one can take its place, and a draft is incomplete.
func followsTheSource(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	spec := withSource("1", "/data/users.csv")
	f.ok(f.Create(t.Context(), spec))
	want := func(what string, state campaign.SourceState, n int64, incomplete bool) {
		t.Helper()
		wantEqual(t, what, f.books("1").ProgressOf(spec.Source), campaign.SourceProgress{State: state, Recipients: n})
		wantEqual(t, what+", incomplete", f.books("1").IsIncomplete(spec), incomplete)
	}
	want("before", campaign.SourceNotLoaded, 0, true)
	wantEqual(t, "advice", f.books("1").Losses(spec)[0].Advice, "load it: fanfare load 1")

	l := f.loader("1", false)
	l.LoadsSource(spec.Source)
	want("opened", campaign.SourceNotLoaded, 0, true)
	f.appendAll(l, rows(0, 35))
	want("while it is loaded", campaign.SourcePartial, 35, true)
	f.ok(l.Abandon(t.Context()))
	want("interrupted", campaign.SourcePartial, 35, true)
	losses := f.books("1").Losses(spec)
	wantEqual(t, "losses", len(losses), 1)
	wantEqual(t, "advice", losses[0].Advice, "continue it with fanfare load 1")

	other := campaign.Source{Query: "SELECT 1 AS id", Key: "id"}
	for name, change := range map[string]campaign.Source{"another": other, "none": {}} {
		refused, is := errors.AsType[*campaign.SpecError](f.Change(t.Context(), "1", campaign.Change{Source: &change}))
		if !is || refused.Field != "source" || !strings.Contains(refused.Problem, "35 recipients of it are loaded") {
			t.Errorf("%s in place of a source that is partly loaded: %v", name, refused)
		}
	}
	f.ok(f.Change(t.Context(), "1", campaign.Change{Source: &spec.Source}))

	l = f.loader("1", false)
	l.LoadsSource(spec.Source)
	f.appendAll(l, rows(0, 50))
	want("continued", campaign.SourcePartial, 50, true)
	f.ok(l.Close(t.Context()))
	want("loaded", campaign.SourceLoaded, 50, false)
	f.ok(l.Close(t.Context())) // a repeated call
	want("loaded", campaign.SourceLoaded, 50, false)

	f.ok(f.Change(t.Context(), "1", campaign.Change{Source: &other}))
	spec.Source = other
	want("another source", campaign.SourceNotLoaded, 0, true)
	l = f.loader("1", true)
	f.appendAll(l, rows(50, 60))
	f.ok(l.Close(t.Context()))
	want("a load of something else", campaign.SourceNotLoaded, 0, true)
}

// The rest of a source can be given up, whatever of it is loaded. What is loaded stays so.
func givesTheSourceUp(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, c := range []struct {
		id    string
		rows  int
		close bool
		want  campaign.SourceProgress
	}{
		{"none", 0, false, campaign.SourceProgress{State: campaign.SourceWaived}},
		{"partly", 30, false, campaign.SourceProgress{State: campaign.SourceWaived, Recipients: 30}},
		{"all", 30, true, campaign.SourceProgress{State: campaign.SourceLoaded, Recipients: 30}},
	} {
		spec := withSource(c.id, "/data/users.csv")
		f.ok(f.Create(t.Context(), spec))
		l := f.loader(c.id, false)
		l.LoadsSource(spec.Source)
		f.appendAll(l, rows(0, c.rows))
		if c.close {
			f.ok(l.Close(t.Context()))
		}
		f.ok(f.Waive(t.Context(), spec, 0))
		wantEqual(t, c.id, f.books(c.id).ProgressOf(spec.Source), c.want)
		wantEqual(t, c.id+", incomplete", f.books(c.id).IsIncomplete(spec), false)
		f.ok(f.Change(t.Context(), c.id, campaign.Change{Source: &campaign.Source{}}))
	}
}

// The reason of a campaign that ends with an interrupted load names what must be loaded again.
func namesWhatWasInterrupted(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for id, advice := range map[string]string{
		"file": "load the same file again to continue: fanfare load file FILE", "query": "give the same command again to continue: fanfare load query with its --query or --from",
		"source": "continue it with fanfare load source",
	} {
		spec := withSource(id, "/data/users.csv")
		spec.State = campaign.Running
		f.ok(f.Create(t.Context(), spec))
		l := f.loader(id, false)
		switch id {
		case "query":
			l.Mark("SELECT", "integer:7")
		case "source":
			l.LoadsSource(spec.Source)
		}
		f.appendAll(l, rows(0, 3))
		f.ok(l.Abandon(t.Context()))
		f.drain(id)
		wantEqual(t, id+" is complete", f.complete(id), true)
		wantEqual(t, "reason", f.get(id).Reason, "a load was interrupted after 3 recipients; "+advice)
	}
}

// The formats of a source are those that can be read.
func TestSourceFormatsAreThoseOfAudiences(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"csv", "ndjson", "parquet"} { // as package operator tests
		if _, err := campaign.ParseSource(`{"files":["/a"],"format":"` + format + `"}`); err != nil {
			t.Error(err)
		}
	}
	wantEqual(t, "formats", len(campaign.SourceFormats), 3)
}

// The rest of a source that is loaded in part is given up with another source, unless its load
// runs. The recipients stay, and the new source is loaded beside them.
func TestAnotherSourceGivesTheRestUp(t *testing.T) {
	f := open(t, backends.OpenMiniredis(t))
	before, after := campaign.Source{Query: "SELECT 1", Key: "a"}, campaign.Source{Query: "SELECT 1", Key: "b"}
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "1", Message: []byte(`{}`), Source: before}))
	l, err := f.Load(t.Context(), "1", false)
	f.ok(err)
	l.LoadsSource(before)
	f.ok(l.Append(t.Context(), batch(3)))
	change := campaign.Change{Source: &after, Partial: true}
	err = f.Change(t.Context(), "1", change)
	if refused, is := errors.AsType[*campaign.SpecError](err); !is || !strings.Contains(refused.Problem, "cannot change while it is loaded") {
		t.Errorf("while it is loaded: %v", err)
	}
	f.ok(l.Abandon(t.Context()))
	if err := f.Change(t.Context(), "1", campaign.Change{Source: &after}); err == nil {
		t.Error("another source is accepted, although one is loaded in part")
	}
	f.ok(f.Change(t.Context(), "1", change))
	books, err := f.Books(t.Context(), "1")
	f.ok(err)
	wantEqual(t, "waiting", books.Waiting, 3)
	wantEqual(t, "loaded of the new one", books.ProgressOf(after).State, campaign.SourceNotLoaded)
	wantEqual(t, "what loads it", books.LoadCommand(campaign.Spec{ID: "1", Source: after}), "fanfare load 1 --append")
	wantEqual(t, "what loads the first one", campaign.Books{}.LoadCommand(campaign.Spec{ID: "a b", Source: after}), "fanfare load 'a b'")
	next, err := f.Load(t.Context(), "1", true)
	f.ok(err)
	next.LoadsSource(after)
	f.ok(next.Append(t.Context(), batch(2)))
	f.ok(next.Close(t.Context()))
	books, err = f.Books(t.Context(), "1")
	f.ok(err)
	wantEqual(t, "waiting after it", books.Waiting, 5)
	wantEqual(t, "is incomplete", books.IsIncomplete(f.get("1")), false)
}
