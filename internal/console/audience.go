package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
)

// audienceContent is the page on which an audience is loaded.
type audienceContent struct {
	ID, Name, URL string
	State         shownState
	Loaded        int64
	Open          bool // the campaign accepts recipients
	Upload        string
	Ready         string // the next page
	Works         []workView
	Operate       bool
	Source        sourceForm
	Progress      string // how much of the source is loaded; "" without one
	Command       string // loads the source, or with a name a file
	GiveUp        string // the command that starts without the rest of the source
}

// aboutCampaign is the subject of a campaign's works.
func aboutCampaign(id string) string { return "campaign " + id }

// showToOperator reads the campaign of a page that exists only for those who may act.
func (c *Console) showToOperator(ctx context.Context, r *http.Request) (operator.View, error) {
	if !viewerOf(r).Operate {
		return operator.View{}, errReadOnly
	}
	return c.deps.System.Show(ctx, r.PathValue("id"))
}

func (c *Console) audienceModel(ctx context.Context, _ *Snapshot, r *http.Request) (any, string, error) {
	view, err := c.showToOperator(ctx, r)
	if err != nil {
		return nil, "", err
	}
	id := view.Spec.ID
	out := audienceContent{
		ID: id, Name: cmp.Or(view.Spec.Name, id), URL: c.campaignURL(id), State: stateOf(&Campaign{View: view}), Loaded: view.Books.Loaded,
		Open: !view.Spec.State.IsFinal(), Upload: c.campaignURL(id) + "/audience", Ready: c.campaignURL(id) + "/ready",
		Works: c.works.about(aboutCampaign(id), c.now()), Operate: true,
		Source: sourceFormOf(view.Spec.Source), Progress: view.SourceProgress(), Command: view.Books.LoadCommand(view.Spec),
		GiveUp: "fanfare campaign start " + campaign.ShellQuote(id) + " --partial",
	}
	if p := view.Books.ProgressOf(view.Spec.Source); p.State == campaign.SourcePartial {
		out.Source.Partly = &p
	}
	return out, "Audience of " + out.Name, nil
}

// silenceTimeout is how long an upload may send nothing.
const silenceTimeout = time.Minute

// countingReader counts the bytes that were read. It reads as long as something arrives.
type countingReader struct {
	from       io.Reader
	connection *http.ResponseController
	read       atomic.Int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	_ = r.connection.SetReadDeadline(time.Now().Add(silenceTimeout)) // a test's server has none
	n, err := r.from.Read(p)
	r.read.Add(int64(n))
	return n, err
}

// upload loads the file that is the body of the request. It is never in memory as a whole. The work
// is shown to everyone, and ends with the request: the browser has the file.
func (c *Console) upload(w http.ResponseWriter, r *http.Request) {
	if !viewerOf(r).Operate {
		http.Error(w, errReadOnly.Error(), http.StatusForbidden)
		return
	}
	id, name := r.PathValue("id"), clip(r.URL.Query().Get("name"), 200)
	deadlines := http.NewResponseController(w)
	_ = deadlines.SetWriteDeadline(time.Time{}) // a large file takes longer than a page
	body := &countingReader{from: r.Body, connection: deadlines}
	next := &work{
		subject: aboutCampaign(id), title: "Load of " + cmp.Or(name, "a file"), who: viewerOf(r).Name, now: c.now, of: "recipients", ofOne: "recipient",
		whole: max(0, r.ContentLength),
	}
	opts := operator.LoadOptions{Format: audience.FormatOf(name), Append: r.URL.Query().Get("append") != "", MaxElement: c.deps.MaxElement, Pace: c.deps.Projects.Pace}
	opts.Progress = func(loaded int64) { next.countPart(loaded, body.read.Load()) }
	err := c.works.begin(next, 0, func(ctx context.Context, w *work) (string, error) {
		summary, err := c.deps.System.Load(ctx, id, body, opts)
		w.note(rejectedLines(summary)...)
		if _, begun := errors.AsType[*operator.InterruptedError](err); begun {
			w.advise("Choose the same file again: the load continues where it stopped, and loads no one twice.")
		}
		return loadedText(summary, err == nil), explainLoad(err)
	})
	if err != nil {
		c.fail(w, err)
		return
	}
	<-next.over
	c.sampler.poke()
	c.deps.Logger.Info("operator acted", "path", r.URL.Path, "who", viewerOf(r).Name)
	v := next.view(c.now())
	if v.Problem != "" {
		http.Error(w, v.Problem, http.StatusUnprocessableEntity)
		return
	}
	writeJSON(w, http.StatusOK, done{Message: v.Text})
}

// linesShown limits the rejected lines that are named.
const linesShown = 20

// rejectedLines names the lines that are no recipients, and what the file's header may have meant.
func rejectedLines(s operator.LoadSummary) []string {
	lines := make([]string, 0, len(s.Hints)+len(s.Errors))
	if s.Warning != "" {
		lines = append(lines, "warning: "+s.Warning)
	}
	lines = append(lines, s.Hints...)
	for _, row := range s.Errors[:min(len(s.Errors), linesShown)] {
		lines = append(lines, row.Error())
	}
	if more := s.Rejected - int64(min(len(s.Errors), linesShown)); more > 0 && len(s.Errors) > 0 {
		lines = append(lines, "and "+plural(more, "line more", "lines more"))
	}
	for i := range lines {
		lines[i] = notification.AbbreviateIn(lines[i])
	}
	return lines
}

// loadedText says what a load did. whole reports that the file was read to its end.
func loadedText(s operator.LoadSummary, whole bool) string {
	if !whole && s.Loaded+s.Passed == 0 {
		return ""
	}
	text := "Loaded " + plural(s.Loaded, "recipient", "recipients")
	if s.Passed > 0 {
		text += ", after " + operator.Thousands(s.Passed) + " that were loaded before"
	}
	text += ". "
	if s.Rejected > 0 {
		text += plural(s.Rejected, "line is", "lines are") + " no recipient and left out."
	} else if whole && s.Loaded > 0 {
		text += "Every line is a recipient."
	}
	return text
}

// explainLoad adds what a person can do about a load that was refused.
func explainLoad(err error) error {
	if other, ok := errors.AsType[*campaign.OtherBeginningError](err); ok {
		return &inputError{fmt.Sprintf("A load of another file was interrupted after %s. Load that file again, or choose below to add this one.", plural(other.Rows, "recipient", "recipients"))}
	}
	switch {
	case errors.Is(err, campaign.ErrAudienceExists):
		return &inputError{"The campaign has an audience already. To add to it, choose so below the file."}
	case errors.Is(err, campaign.ErrOtherAudience):
		return &inputError{"The file is not the one whose load was interrupted: it begins alike, and then differs. To add it all the same, choose so below the file."}
	}
	if over, ok := errors.AsType[*campaign.TransitionError](err); ok {
		return &inputError{fmt.Sprintf("The campaign is %s, and accepts no more recipients.", over.From)}
	}
	if err != nil {
		return errors.New(redact.Text(err.Error()))
	}
	return nil
}
