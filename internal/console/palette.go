package console

import (
	"cmp"
	"net/http"
	"strings"
)

// paletteContent is what the palette finds.
type paletteContent struct {
	Campaigns []paletteRow
	Operate   bool
	Person    string
	PersonURL string
}

type paletteRow struct {
	State         shownState
	Name, ID, URL string
}

// paletteRows limits the campaigns that the palette lists.
const paletteRows = 8

// palette answers ?q=text with the matching campaigns.
func (c *Console) palette(w http.ResponseWriter, r *http.Request) {
	s, err := c.sampler.latest(r.Context())
	if err != nil {
		return
	}
	text := clip(r.URL.Query().Get("q"), 100)
	content := paletteContent{Operate: viewerOf(r).Operate}
	for i := range s.Campaigns {
		each := &s.Campaigns[i]
		if !matchesText(each, text) {
			continue
		}
		content.Campaigns = append(content.Campaigns, paletteRow{stateOf(each), cmp.Or(each.Spec.Name, each.Spec.ID), each.Spec.ID, c.campaignURL(each.Spec.ID)})
		if len(content.Campaigns) == paletteRows {
			break
		}
	}
	if text = strings.TrimSpace(text); text != "" && !isTokenLike(text) {
		content.Person, content.PersonURL = text, c.peopleURL(text)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := c.views.fragment(w, "campaigns", "palette-results", content); err != nil {
		c.deps.Logger.Error("page rendering failed; this is a bug", "page", "palette", "error", err)
	}
}
