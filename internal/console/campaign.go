package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// campaignContent is the page of one campaign.
type campaignContent struct {
	ID, Name  string
	URL       string // an id may have a slash
	State     shownState
	Facts     []fact
	Whys      []why
	Share     string
	Ended     int64
	Loaded    int64
	Figures   []fact
	Bar       bar
	Counts    []count
	Funnel    []stage
	Equation  []term
	Balanced  bool
	Unsettle  string // why the books do not balance
	Canary    *canary
	Gauges    []gauge
	Evaluated int64 // answers that the breakers count now
	Codes     []code
	Lost      int64 // not delivered
	// TokensKept are dead tokens that the budget of deletions left stored.
	TokensKept int64
	// Oddities count recipients with a zone, locale or quiet hours that could not be used.
	Oddities  []operator.Oddity
	Choices   []choiceTable // by variant and by language
	Devices   *devicesTable
	Pace      pace
	Actions   []action
	Message   messagePanel
	Works     []workView // loads of a file
	Operate   bool
	OverTime  overTime
	Waves     *wavePanel    // nil without time rules
	Punctual  []punctualRow // the waves that have been sent
	CanChange bool
	History   []historyItem
	// HasRecords reports whether there is a database to export from.
	HasRecords bool
}

// HasSeveralTables reports whether tables of variants, languages and devices stand side by side.
func (c campaignContent) HasSeveralTables() bool {
	return len(c.Choices) > 1 || len(c.Choices) == 1 && c.Devices != nil
}

// fact is a label and its value. An estimated value begins with ≈.
type fact struct {
	Label, Value, After string
	URL                 string // the page of what is named; "" for none
	Estimated           bool
}

// term is one number of the equation of the books.
type term struct {
	N    int64
	Name string
}

// action is something a person can do with the campaign.
type action struct {
	Name, Label, Icon string
	Main              bool
	Page              bool   // a page of its own, not a dialog
	Why               string // why it cannot be done now; "" if it can
}

// pace are the settings that can be changed while the campaign runs.
type pace struct {
	Rate             string
	Priority, Weight int
	Weights          int // of all running campaigns of its priority
}

func (c *Console) campaignModel(ctx context.Context, s *Snapshot, r *http.Request) (any, string, error) {
	id := r.PathValue("id")
	view, err := c.deps.System.Show(ctx, id)
	if err != nil {
		return nil, "", err
	}
	each := &Campaign{View: view}
	if listed := s.find(id); listed != nil {
		each.Speed, each.Forecast = listed.Speed, listed.Forecast
	}
	c.explainDue(ctx, &each.View, s)
	each.Reasons = operator.Why(each.View, s.surroundingsOf(view.Spec.Project))
	content := c.contentOf(each, s, c.writtenOf(ctx, each), viewerOf(r).Operate)
	content.HasRecords = c.deps.Records != nil
	content.History = c.historyOf(ctx, id, s.At)
	content.Message = c.messageOf(ctx, view, r)
	content.Works, content.Operate = c.works.about(aboutCampaign(id), c.now()), viewerOf(r).Operate
	content.OverTime = c.chartOverTime(r.WithContext(ctx), view.Spec, s.At)
	content.OverTime.Marks = marksOf(content.History)
	content.Waves, content.Punctual = wavePanelOf(c.planOf(ctx, view, s), view.Spec.State == campaign.Running, s.At), punctualRows(view.Books.Waves, s.At)
	return content, cmp.Or(view.Spec.Name, view.Spec.ID), nil
}

func (c *Console) contentOf(each *Campaign, s *Snapshot, inSQL *written, operate bool) campaignContent {
	b, spec := each.Books, each.Spec
	out := campaignContent{
		ID: spec.ID, Name: cmp.Or(spec.Name, spec.ID), URL: c.campaignURL(spec.ID), State: stateOf(each), Facts: slices.Concat(factsOf(each, s.At), c.sourceFact(each.View, operate), c.projectFact(s, spec.Project)),
		Share: share(b.CountEnded(), b.Loaded), Ended: b.CountEnded(), Loaded: b.Loaded, Figures: figuresOf(each, s.At), Bar: barOf(b),
		Funnel: funnelOf(each, inSQL), Balanced: b.IsBalanced(), Canary: canaryOf(each.Breaker), Pace: paceOf(each, s), CanChange: operate && !spec.State.HasEnded() && spec.State != "",
	}
	for i := range each.Reasons {
		out.Whys = append(out.Whys, c.whyOf(&each.Reasons[i], each, s))
	}
	if r := inSQL.reason(s); r != nil {
		out.Whys = append(out.Whys, c.whyOf(r, each, s))
	}
	for _, n := range countsOf(b) {
		if n.N > 0 {
			out.Counts = append(out.Counts, n)
			out.Equation = append(out.Equation, term{n.N, n.Name})
		}
	}
	if !out.Balanced {
		out.Unsettle = unsettled(b)
	}
	out.Gauges, out.Evaluated = gaugesOf(each.Breaker)
	out.Codes, out.Lost = codesOf(b)
	out.TokensKept, out.Oddities = b.TokensKept, each.Oddities()
	out.Choices, out.Devices = choiceTablesOf(each.Choices()), devicesTableOf(b)
	if operate {
		out.Actions = actionsOf(spec.State)
	}
	return out
}

func unsettled(b campaign.Books) string {
	switch {
	case b.Missing > 0:
		return "The books do not balance: " + plural(b.Missing, "recipient is", "recipients are") + " missing in Redis"
	case b.Recount:
		return "The counts were deleted or changed in Redis, and do not cover the beginning"
	}
	return "The books do not balance"
}

func factsOf(c *Campaign, now time.Time) []fact {
	s := c.Spec
	own := "none"
	if s.Rate > 0 {
		own = operator.Decimal(s.Rate) + " /s"
	}
	facts := []fact{
		{Label: "Id", Value: s.ID},
		{Label: "Priority", Value: operator.Thousands(s.Priority)},
		{Label: "Weight", Value: operator.Thousands(s.Weight)},
		{Label: "Own rate", Value: own},
	}
	if at := c.Deadline(); !at.IsZero() && !s.State.HasEnded() {
		after := ", has passed"
		if at.After(now) {
			after = ", in " + span(at.Sub(now))
		}
		if c.IsDeadlineDerived() {
			after += "; it follows from the schedule"
		}
		facts = append(facts, fact{Label: "Deadline", Value: clock(at, now) + " UTC", After: after})
	}
	facts = append(facts, timeFacts(c, now)...)
	for _, moment := range []struct {
		label string
		at    time.Time
	}{{"Created", s.CreatedAt}, {"Started", s.StartedAt}, {"Ended", s.FinishedAt}} {
		if !moment.at.IsZero() {
			facts = append(facts, fact{Label: moment.label, Value: clock(moment.at, now) + " UTC"})
		}
	}
	if end := operator.DescribeEnd(s, now); end != "" {
		facts = append(facts, fact{Label: "Reason", Value: end})
	}
	if s.Dedupe != campaign.DedupeAddress {
		facts = append(facts, fact{Label: "Once per", Value: map[campaign.Dedupe]string{campaign.DedupeUser: "user", campaign.DedupeNone: "element"}[s.Dedupe]})
	}
	if s.Devices == campaign.LatestDevice {
		facts = append(facts, fact{Label: "Devices", Value: string(s.Devices)})
	}
	if languages := languagesOf(c.View); languages != "" {
		facts = append(facts, fact{Label: "Languages", Value: "base, " + languages})
	}
	return append(facts, fact{Label: "Ambiguous", Value: string(s.OnAmbiguous)})
}

// figuresOf are the figures beside the share of those who have ended.
func figuresOf(c *Campaign, now time.Time) []fact {
	b := c.Books
	failed := fact{Label: "Failed", Value: share(b.Failed, b.CountEnded())}
	if c.Spec.State.HasEnded() {
		return []fact{{Label: "Took", Value: span(c.Spec.FinishedAt.Sub(c.Spec.StartedAt))}, failed}
	}
	figures := []fact{{Label: "Now", Value: rate(c.Speed.Now()) + " /s"}}
	if short, long, ok := c.Speed.Band(b.CountOpen()); ok && c.Spec.State == campaign.Running {
		figures = append(figures,
			fact{Label: "Time to go", Value: about(short, long), Estimated: true},
			fact{Label: "Ends", Value: "≈ " + now.Add((short+long)/2).UTC().Format("15:04"), Estimated: true})
	}
	return append(figures, failed)
}

func paceOf(c *Campaign, s *Snapshot) pace {
	p := pace{Priority: c.Spec.Priority, Weight: c.Spec.Weight}
	if c.Spec.Rate > 0 {
		p.Rate = operator.Decimal(c.Spec.Rate)
	}
	for _, other := range s.around.Running {
		if other.Spec.Priority == c.Spec.Priority && operator.SharesQuota(other.Spec.Project, c.Spec.Project) {
			p.Weights += other.Spec.Weight
		}
	}
	p.Weights = max(p.Weights, p.Weight)
	return p
}

// actionsOf returns the actions that make sense in a state, the main one last.
func actionsOf(s campaign.State) []action {
	switch s {
	case campaign.Draft:
		return []action{
			{Name: "delete", Label: "Delete…", Icon: "i-trash"}, {Name: "audience", Label: "Load a file", Icon: "i-people", Page: true},
			{Name: "ready", Label: "Check", Icon: "i-check", Page: true}, {Name: "start", Label: "Start…", Icon: "i-running", Main: true},
		}
	case campaign.Running:
		return []action{
			{Name: "delete", Label: "Delete…", Icon: "i-trash", Why: "Pause or cancel it first"},
			{Name: "cancel", Label: "Cancel…", Icon: "i-cancelled"}, {Name: "pause", Label: "Pause…", Icon: "i-paused", Main: true},
		}
	case campaign.Paused:
		return []action{{Name: "delete", Label: "Delete…", Icon: "i-trash"}, {Name: "cancel", Label: "Cancel…", Icon: "i-cancelled"}, {Name: "resume", Label: "Resume…", Icon: "i-running", Main: true}}
	case "":
		return nil
	}
	return []action{{Name: "delete", Label: "Delete…", Icon: "i-trash"}}
}
