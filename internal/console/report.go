package console

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
)

// reportContent is a report as its page shows it.
type reportContent struct {
	Title, Theme string
	Style        template.CSS // of a page that stands alone; "" where the console serves the style
	Prefix, Back string       // of the console
	Export       string       // address of the outcomes; "" without SQL or without the console
	State        shownState
	Facts        []fact
	Tiles        []tile
	Loaded       int64
	Terms        []reportTerm
	Balance      string
	Balanced     bool
	Chart        *minutesChart
	Codes        []reportCode
	Ended        int64
	Choices      []choiceTable // by variant and by language
	Unread       []string      // what SQL did not answer, and why
	History      []historyItem
	Steps        []operator.Step
	Message      string
	Sources      string
	Made         string
}

// reportTerm is one part of the loaded recipients, with its place in a bar that is 1,000 wide.
type reportTerm struct {
	Name, Class string
	N           int64
	X, Width    float64
}

// reportCode is a row of the outcomes. Its strip shows when they came, on a scale of its own.
type reportCode struct {
	Status, Code, Class, Share string
	N                          int64
	Strip                      []strip
}

// termClasses are the fills of the terms, as in all bars.
var termClasses = map[string]string{
	"sent": "f-sent", "failed": "f-failed", "skipped": "f-skipped", "expired": "f-expired", "unknown": "f-unknown",
	"retrying": "f-retrying", "in flight": "f-inflight", "waiting": "f-waiting", "missing": "f-missing",
}

// reportTemplate is the page of a report.
var reportTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report.html").Funcs(template.FuncMap{
		"n": func(n int64) string { return operator.Thousands(n) },
		"f": func(x float64) string { return fmt.Sprintf("%.1f", x) },
	}).ParseFS(templateFiles, "templates/report.html")
})

// WriteReport writes a report as one page of HTML that loads nothing and runs nothing.
func WriteReport(w io.Writer, r *operator.Report) error {
	content := campaignReportOf(r)
	for _, name := range []string{"static/tokens.css", "static/report.css"} {
		sheet, err := assets.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the style of a report: %w", err)
		}
		content.Style += template.CSS(sheet) //nolint:gosec // our own file
	}
	return content.write(w)
}

func (c reportContent) write(w io.Writer) error {
	page, err := reportTemplate()
	if err == nil {
		err = page.Execute(w, c)
	}
	if err != nil {
		return fmt.Errorf("write a report: %w", err)
	}
	return nil
}

// showReport serves the report of a campaign.
func (c *Console) showReport(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	report, err := c.deps.System.Report(r.Context(), id)
	if isNoCampaign(err) {
		c.notFound(w, r)
		return
	}
	if err != nil {
		c.fail(w, err)
		return
	}
	content := campaignReportOf(report)
	content.Prefix, content.Back, content.Theme = c.opts.Prefix, c.opts.Prefix+"/campaigns", themeOf(r)
	if report.View != nil {
		content.Back = c.campaignURL(id)
	}
	if report.Written != nil {
		content.Export = c.campaignURL(id) + "/export"
	}
	var page bytes.Buffer
	if err := content.write(&page); err != nil {
		c.deps.Logger.Error("page rendering failed; this is a bug", "page", "report", "error", err)
		http.Error(w, "This page cannot be shown; see the console's log.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w) // a browser that has gone is no error of ours
}

func campaignReportOf(r *operator.Report) reportContent {
	loaded, terms := r.Loaded()
	out := reportContent{
		Title: r.Name(), State: reportState(r), Loaded: loaded, Ended: r.Ended(), Steps: r.Steps(), Sources: r.Sources(),
		Chart: chartOf(r.Minutes), Unread: unreadOf(r), Made: fullMoment(r.At), Facts: reportFacts(r), Tiles: reportTiles(r, loaded),
	}
	out.Balance, out.Balanced = r.Balance()
	at := 0.0
	for _, t := range terms {
		part := reportTerm{Name: t.Name, Class: termClasses[t.Name], N: t.N}
		if loaded > 0 && t.N > 0 {
			part.X, part.Width = at, max(4, 1000*float64(t.N)/float64(loaded))
			at += part.Width
		}
		out.Terms = append(out.Terms, part)
	}
	for _, o := range r.Outcomes() {
		row := reportCode{Status: string(o.Status), Code: o.Code, Class: termClasses[string(o.Status)], N: o.N, Share: share(o.N, out.Ended)}
		if out.Chart != nil {
			row.Strip = out.Chart.stripOf(r.Minutes, o)
		}
		out.Codes = append(out.Codes, row)
	}
	out.Choices = choiceTablesOf(r.Choices())
	for _, e := range r.History {
		item := historyItemOf(e, r.At)
		item.At, item.By = fullMoment(e.At), e.Who
		out.History = append(out.History, item)
	}
	if r.View != nil {
		out.Message = string(r.View.Spec.Message)
	}
	return out
}

// fullMoment formats a time that may be read on any day.
func fullMoment(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return at.UTC().Format("2 Jan 2006 15:04:05 UTC")
}

// reportState is the state of the report; the zero one if it is not known.
func reportState(r *operator.Report) shownState {
	if r.View != nil {
		return stateOf(&Campaign{View: *r.View})
	}
	ended := map[campaign.State]shownState{campaign.Completed: stateCompleted, campaign.Expired: stateExpired, campaign.Cancelled: stateCancelled}
	return ended[r.State()]
}

func reportFacts(r *operator.Report) []fact {
	facts := []fact{{Label: "Id", Value: r.ID}}
	if r.View == nil {
		return facts
	}
	s := r.View.Spec
	for _, f := range []fact{
		{Label: "Project", Value: s.Project}, {Label: "Created", Value: fullMoment(s.CreatedAt)}, {Label: "Priority", Value: operator.Thousands(s.Priority)},
		{Label: "Weight", Value: operator.Thousands(s.Weight)}, {Label: "Ambiguous", Value: string(s.OnAmbiguous)},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	if s.Rate > 0 {
		facts = append(facts, fact{Label: "Own rate", Value: operator.Decimal(s.Rate) + " /s"})
	}
	if at := r.View.Deadline(); !at.IsZero() {
		facts = append(facts, fact{Label: "Deadline", Value: fullMoment(at)})
	}
	facts = append(facts, waveFacts(r.View.Books.Waves)...)
	if reason := cmp.Or(operator.DescribeEnd(s, time.Time{}), s.Reason); reason != "" {
		facts = append(facts, fact{Label: "Reason", Value: reason})
	}
	return facts
}

func reportTiles(r *operator.Report, loaded int64) []tile {
	start, end := r.Span()
	took := tile{Label: "Took", Figure: "–", Sub: "it has not begun"}
	if !start.IsZero() {
		took.Figure, took.Sub = span(cmp.Or(end, r.At).Sub(start)), fullMoment(start)+" to "+fullMoment(end)
		if end.IsZero() {
			took.Label, took.Sub = "Running for", "since "+fullMoment(start)
		}
	}
	delivered := r.Delivered()
	sent, unit := million(delivered)
	return []tile{
		{Label: "Accepted by FCM", Figure: strings.TrimSpace(sent + " " + unit), Sub: share(delivered, loaded) + " of " + plural(loaded, "recipient", "recipients")},
		took,
		{Label: "Rate", Figure: rate(r.Rate()) + " /s", Sub: "recipients ended, on average"},
		removedTile(r),
	}
}

func removedTile(r *operator.Report) tile {
	t := tile{Label: "Tokens removed", Figure: operator.Thousands(r.Removed), Sub: "of failed recipients, as dead"}
	if r.Written == nil || r.RemovedErr != nil {
		t.Figure, t.Sub = "–", "SQL would say how many"
	}
	return t
}

// unreadOf says what is not in the report, although SQL is configured.
func unreadOf(r *operator.Report) []string {
	if r.Problem != nil {
		return []string{"all that SQL has: " + redact.Text(r.Problem.Error())}
	}
	return r.Unread
}

// chartStatuses are the statuses of the chart, from the bottom up.
var chartStatuses = []notification.Status{
	notification.StatusSent, notification.StatusFailed, notification.StatusUnknown, notification.StatusExpired, notification.StatusSkipped,
}
