package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"fanfare/internal/campaign"
)

// withSource gives the draft a source.
func (f *fixture) withSource(s campaign.Source) {
	for i := range f.system.views {
		if f.system.views[i].Spec.ID == "draft" {
			f.system.views[i].Spec.Source = s
		}
	}
	f.refresh()
}

// The page of a campaign with a source says what that is, and that nothing of it is loaded. It
// leads to where the source can change, for those who may.
func TestSourceOfACampaign(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	if strings.Contains(f.get("/campaigns/draft").text, "Source") {
		t.Error("a campaign without a source has one")
	}
	files := campaign.Source{Files: []string{"/data/users.csv"}, Where: "age < 30"}
	f.withSource(files)
	wantTexts(t, "the page", f.get("/campaigns/draft").text, `Source</span><b>/data/users.csv, where age &lt; 30</b>, not loaded`, "Nothing of its source is loaded")
	f = open(t, Options{Operate: true})
	f.withSource(files)
	wantTexts(t, "the page of an operator", f.get("/campaigns/draft").text, `<a class="link" href="/campaigns/draft/audience">/data/users.csv`)
}

// A new campaign has the source of the form. Fields of another kind keep what was typed, and do not
// count.
func TestNewCampaignHasASource(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	wantTexts(t, "the form", f.get("/new").text, `name="source_files"`, `name="source_query"`, "fanfare load ID", "No console and no dispatcher reads it")
	form := url.Values{
		"message": {goodMessage}, "id": {"made"}, "source": {"files"}, "source_files": {" /data/a.csv\r\n\r\n/data/b.csv \r\n"}, "source_format": {"csv"},
		"source_separator": {"tab"}, "source_where": {"age < 30"}, "source_query": {"SELECT 1"}, "source_key": {"id"},
	}
	for kind, want := range map[string]string{
		"files": `{"files":["/data/a.csv","/data/b.csv"],"format":"csv","separator":"tab","where":"age < 30"}`,
		"query": `{"query":"SELECT 1","key":"id","where":"age < 30"}`,
		"":      "",
	} {
		form.Set("source", kind)
		wantStatus(t, f.post("/new", form), http.StatusOK)
		if got := f.system.created.Source.String(); got != want {
			t.Errorf("of kind %q it was created with %s, want %s", kind, got, want)
		}
	}
}

// What cannot be a source is refused with the words of the commands, when a campaign is made and
// when it is changed.
func TestSourceIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	for problem, form := range map[string]url.Values{
		"has no file: write the path of one":                                      {"source": {"files"}, "source_files": {" \n"}},
		`has the file "users.csv", want an absolute path`:                         {"source": {"files"}, "source_files": {"users.csv"}},
		"has a separator, which is for csv, and the format ndjson":                {"source": {"files"}, "source_files": {"/a"}, "source_format": {"ndjson"}, "source_separator": {";"}},
		"has no query: write a SELECT":                                            {"source": {"query"}, "source_key": {"id"}},
		"has a query without a key, a column of it that is unique and never NULL": {"source": {"query"}, "source_query": {"SELECT 1"}},
		"has a where that cannot be used: column 10":                              {"source": {"files"}, "source_files": {"/a"}, "source_where": {"platform ="}},
		"is of no known kind":                                                     {"source": {"redis"}},
	} {
		form.Set("message", goodMessage)
		form.Set("id", "made")
		if found := f.problems("/new", form, http.StatusUnprocessableEntity).Fields["source"]; !strings.HasPrefix(found, "It "+problem) {
			t.Errorf("a new campaign is refused with %q, want %q", found, problem)
		}
		answer := f.post("/campaigns/draft/source", form)
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantTexts(t, "a change", answer.text, "The source "+problem)
	}
	f.system.err = &campaign.SpecError{ID: "draft", Field: "source", Problem: "cannot change: it is loaded in part"}
	answer := f.post("/campaigns/draft/source", url.Values{"source": {""}})
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantTexts(t, "a change", answer.text, "The source cannot change: it is loaded in part.")
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

// The page of an audience shows the source as it is set, and the command that loads it. It can be
// changed and removed there.
func TestSourceIsChanged(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	wantTexts(t, "without a source", f.get("/campaigns/draft/audience").text, "Files or a query that", `data-part="progress">none<`)
	f.withSource(campaign.Source{Query: "SELECT id AS user_id FROM users", Key: "user_id", Where: `city == "Hue"`})
	wantTexts(t, "with a query", f.get("/campaigns/draft/audience").text, `<option value="query" selected>`, "SELECT id AS user_id FROM users</textarea>",
		`name="source_key" type="text" value="user_id"`, `value="city == &#34;Hue&#34;"`, "<code>fanfare load draft --append</code>", "DATABASE_URL", `data-part="progress">not loaded<`)
	answer := f.post("/campaigns/draft/source", url.Values{"source": {"files"}, "source_files": {"/data/a.csv"}})
	wantStatus(t, answer, http.StatusOK)
	wantTexts(t, "the answer", answer.text, "Saved the source of draft. Load it with fanfare load draft --append.")
	wantTexts(t, "the answer", f.post("/campaigns/draft/source", url.Values{"source": {""}}).text, "Removed the source of draft.")
	wantStatus(t, f.post("/campaigns/draft/source", url.Values{"source": {""}, "partial": {"1"}}), http.StatusOK)
	if got, want := f.system.done(), `change draft source{"files":["/data/a.csv"]}`+"\nchange draft source\nchange draft source, the rest given up"; got != want {
		t.Errorf("done %q, want %q", got, want)
	}
	reader := open(t, Options{})
	wantStatus(t, reader.post("/campaigns/draft/source", url.Values{"source": {""}}), http.StatusForbidden)
}
