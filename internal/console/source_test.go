package console

import (
	"strings"
	"testing"

	"fanfare/internal/campaign"
)

// The page of a campaign with a source says what that is, and that nothing of it is loaded.
func TestSourceOfACampaign(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	if strings.Contains(f.get("/campaigns/draft").text, "Source") {
		t.Error("a campaign without a source has one")
	}
	for i := range f.system.views {
		if f.system.views[i].Spec.ID == "draft" {
			f.system.views[i].Spec.Source = campaign.Source{Files: []string{"/data/users.csv"}, Where: "age < 30"}
		}
	}
	f.refresh()
	wantTexts(t, "the page", f.get("/campaigns/draft").text, `Source</span><b>/data/users.csv, where age &lt; 30</b>, not loaded`, "Nothing of its source is loaded")
}
