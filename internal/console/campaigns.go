package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// campaignsContent is the page of all campaigns.
type campaignsContent struct {
	Tiles   []tile
	Tabs    []tab
	Orders  []choice
	Search  string
	State   string
	Groups  []group
	First   *firstRun // nil once there is a campaign
	Why     *why      // why outcomes of any campaign do not reach SQL
	Shown   int
	All     int
	More    int // rows that are not shown
	MoreURL string
	Operate bool
}

// tile is a figure with its context.
type tile struct {
	Label, Figure, Unit, Sub string
	Spark                    *spark
}

type tab struct {
	Label   string
	URL     string
	N       int
	Current bool
}

type choice struct {
	Value, Label string
	Current      bool
}

// group is a heading and its rows.
type group struct {
	Label string
	N     int
	Rows  []row
}

// row is one campaign.
type row struct {
	ID, Name, URL string
	State         shownState
	Ended, Loaded int64
	Share         string
	Bar           bar
	Moves         bool // has a rate
	Rate          string
	Spark         spark
	Failed        string
	Strong        string
	Text          string
	Why           *why
}

// rowsShown limits the rows of a page. The rest is a click away.
const rowsShown = 100

// filters are the tabs, in their order.
var filters = []struct {
	name, label string
	matches     func(*Campaign) bool
}{
	{"", "All", func(*Campaign) bool { return true }},
	{"needs", "Needs you", (*Campaign).NeedsPerson},
	{"running", "Running", func(c *Campaign) bool { return stateOf(c) == stateRunning }},
	{"held", "Held", func(c *Campaign) bool { return stateOf(c) == stateHeld || stateOf(c) == stateDown }},
	{"draft", "Draft", func(c *Campaign) bool { return stateOf(c) == stateDraft || stateOf(c) == stateScheduled }},
	{"ended", "Ended", func(c *Campaign) bool { return c.Spec.State.HasEnded() }},
}

// campaignsModel answers ?state=held&q=text&order=newest&all=1.
func (c *Console) campaignsModel(_ context.Context, s *Snapshot, r *http.Request) (any, string, error) {
	q := r.URL.Query()
	content := campaignsContent{
		Tiles: tilesOf(s), Search: clip(q.Get("q"), 100), State: q.Get("state"), All: len(s.Campaigns), Operate: viewerOf(r).Operate,
	}
	var shown []*Campaign
	for _, f := range filters {
		n := 0
		for i := range s.Campaigns {
			each := &s.Campaigns[i]
			if !f.matches(each) {
				continue
			}
			n++
			if f.name == content.State && matchesText(each, content.Search) {
				shown = append(shown, each)
			}
		}
		content.Tabs = append(content.Tabs, tab{f.label, c.listURL(q, "state", f.name), n, f.name == content.State})
	}
	order := q.Get("order")
	for _, o := range []choice{{"", "Needs you first", false}, {"newest", "Newest first", false}, {"slowest", "Slowest first", false}} {
		o.Current = o.Value == order
		content.Orders = append(content.Orders, o)
	}
	content.Shown = len(shown)
	if q.Get("all") == "" && len(shown) > rowsShown {
		content.More, content.MoreURL = len(shown)-rowsShown, c.listURL(q, "all", "1")
	}
	sortCampaigns(shown, order)
	shown = shown[:len(shown)-content.More]
	if len(s.Campaigns) == 0 {
		content.First = c.firstRunOf(s)
	}
	content.Groups = c.groupsOf(shown, order, s)
	if s.Unwritten != nil {
		w := c.whyOf(s.Unwritten, nil, s)
		content.Why = &w
	}
	return content, "Campaigns", nil
}

// listURL is the address of the list with one value changed, so that a view can be shared.
func (c *Console) listURL(q url.Values, name, value string) string {
	next := url.Values{}
	for _, key := range []string{"state", "q", "order"} {
		if text := q.Get(key); text != "" {
			next.Set(key, text)
		}
	}
	next.Set(name, value)
	if value == "" {
		next.Del(name)
	}
	if len(next) == 0 {
		return c.opts.Prefix + "/campaigns"
	}
	return c.opts.Prefix + "/campaigns?" + next.Encode()
}

func matchesText(c *Campaign, text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(strings.ToLower(c.Spec.ID), text) || strings.Contains(strings.ToLower(c.Spec.Name), text)
}

// section is the place of a campaign in the list: who needs a person, who moves, who is over.
func section(c *Campaign) int {
	switch {
	case c.NeedsPerson():
		return 0
	case c.Spec.State == campaign.Running:
		return 1
	}
	return 2
}

var sectionLabels = []string{"Needs you", "On its way or in line", "Drafts and the ended"}

func sortCampaigns(all []*Campaign, order string) {
	slices.SortStableFunc(all, func(a, b *Campaign) int {
		switch order {
		case "newest":
			return b.Spec.CreatedAt.Compare(a.Spec.CreatedAt)
		case "slowest":
			return cmp.Or(cmp.Compare(section(a), section(b)), cmp.Compare(a.Speed.Now(), b.Speed.Now()))
		}
		return cmp.Or(
			cmp.Compare(section(a), section(b)),
			cmp.Compare(rankOf(a), rankOf(b)),
			cmp.Compare(b.Spec.Priority, a.Spec.Priority),
			lastMoved(b).Compare(lastMoved(a)),
		)
	})
}

// rankOf orders the campaigns of a section: what moves before what is held, and drafts before what
// has ended.
func rankOf(c *Campaign) int {
	switch stateOf(c) {
	case stateBroken, stateRunning, stateDraft, stateScheduled:
		return 0
	}
	return 1
}

func (c *Console) groupsOf(shown []*Campaign, order string, s *Snapshot) []group {
	var groups []group
	for _, each := range shown {
		label := sectionLabels[section(each)]
		if order == "newest" {
			label = "Newest first"
		}
		if n := len(groups); n == 0 || groups[n-1].Label != label {
			groups = append(groups, group{Label: label})
		}
		g := &groups[len(groups)-1]
		g.Rows = append(g.Rows, c.rowOf(each, s))
		g.N++
	}
	return groups
}

func (c *Console) rowOf(each *Campaign, s *Snapshot) row {
	b := each.Books
	out := row{
		ID: each.Spec.ID, Name: cmp.Or(each.Spec.Name, each.Spec.ID), URL: c.campaignURL(each.Spec.ID), State: stateOf(each),
		Ended: b.CountEnded(), Loaded: b.Loaded, Share: share(b.CountEnded(), b.Loaded), Bar: barOf(b), Failed: share(b.Failed, b.CountEnded()),
		Moves: !each.Spec.State.HasEnded() && stateOf(each) != stateDraft && stateOf(each) != stateScheduled, Rate: rate(each.Speed.Now()), Spark: sparkOf(each.Speed.Series()),
	}
	if r := each.first(); r != nil && (r.Stops || !r.EndsByItself || out.State != stateRunning) {
		w := c.whyOf(r, each, s)
		out.Why = &w
		return out
	}
	out.Strong, out.Text = outlook(each, s.At)
	if r := each.first(); r != nil {
		w := c.whyOf(r, each, s)
		out.Text = w.Headline + ": " + w.Text
	}
	return out
}

// campaignURL is the page of a campaign.
func (c *Console) campaignURL(id string) string {
	return c.opts.Prefix + "/campaigns/" + url.PathEscape(id)
}

// tilesOf are the figures above the list.
func tilesOf(s *Snapshot) []tile {
	var waiting, accepted, failed, ended int64
	holding := 0
	codes := map[string]int64{}
	var rates []float64
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		accepted, failed, ended = accepted+c.Books.Sent, failed+c.Books.Failed, ended+c.Books.CountEnded()
		for code, n := range c.Books.Codes {
			if kind, name, _ := strings.Cut(code, ":"); kind == "failed" {
				codes[name] += n
			}
		}
		if c.Spec.State != campaign.Running {
			continue
		}
		if open := c.Books.CountOpen(); open > 0 {
			waiting += open
			holding++
		}
		rates = addSeries(rates, c.Speed.Series())
	}
	line := sparkOf(rates)
	sending := tile{Label: "Sending now", Figure: rate(s.totalRate()), Unit: "/s", Sub: "recipients of all campaigns", Spark: &line}
	if used, allowed := s.minute(); allowed > 0 {
		sending.Sub = share(used, allowed) + " of the quota, this minute"
	}
	figure, unit := million(waiting)
	most := mostFrequent(codes)
	if most != "" {
		most = ", mostly " + most
	}
	return []tile{
		sending,
		{Label: "Waiting", Figure: figure, Unit: unit, Sub: "in " + plural(int64(holding), "running campaign", "running campaigns")},
		{Label: "Accepted", Figure: operator.Thousands(accepted), Sub: share(accepted, ended) + " of all who ended"},
		{Label: "Failed", Figure: operator.Thousands(failed), Sub: share(failed, ended) + most},
		{Label: "Not yet in SQL", Figure: operator.Thousands(s.Backlog.Results), Sub: backlogText(s)},
	}
}

func backlogText(s *Snapshot) string {
	switch {
	case s.Backlog.Results == 0:
		return "every outcome is written"
	case s.Unwritten != nil:
		return s.Unwritten.Headline
	}
	return "outcomes on their way"
}

// addSeries adds rates that end at the same moment.
func addSeries(sum, more []float64) []float64 {
	if len(more) > len(sum) {
		sum, more = slices.Clone(more), sum
	}
	for i, r := range more {
		sum[len(sum)-len(more)+i] += r
	}
	return sum
}

func mostFrequent(codes map[string]int64) string {
	best := ""
	for code, n := range codes {
		if n > codes[best] || n == codes[best] && (best == "" || code < best) {
			best = code
		}
	}
	return best
}
