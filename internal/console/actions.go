package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
)

// dialog asks before an action and states its effect in numbers.
type dialog struct {
	Action, URL string
	Title, Text string
	Effects     []effect
	Estimates   []effect // below Effects, of what was not counted but sampled
	Changes     []change
	Hidden      map[string]string // values that the form sends unseen
	Fields      []field
	Check       *check
	Reason      bool   // asks for a reason
	Type        string // what has to be typed before the button works; "" for nothing
	Keep, Do    string // the words on the buttons
	Viewer      viewer
}

// field is a value that the dialog asks for.
type field struct {
	Name, Label, Value, Placeholder, Unit string
	Numeric                               bool
}

// check is a box that a person can tick.
type check struct{ Name, Label string }

// effect is one line of the sum.
type effect struct {
	Label string
	N     int64
}

// change is what is in force now, and what then will be.
type change struct{ Label, From, To string }

// showDialog renders the dialog of a campaign's action with the figures of this moment.
func (c *Console) showDialog(w http.ResponseWriter, r *http.Request) {
	view, err := c.deps.System.Show(r.Context(), r.PathValue("id"))
	if err != nil {
		c.fail(w, err)
		return
	}
	switch {
	case r.PathValue("action") == "test" && c.deps.SendTest != nil:
		c.renderDialog(w, r, c.testDialog(r.Context(), view, r.URL.Query().Get("user")))
		return
	case r.PathValue("action") == "pace":
		c.showPaceDialog(w, r, view)
		return
	}
	d, ok := dialogOf(view, r.PathValue("action"), c.deps.Records != nil)
	if !ok {
		c.notFound(w, r)
		return
	}
	d.URL = c.campaignURL(view.Spec.ID) + "/" + d.Action
	if d.Action == "start" {
		d.Text += " " + c.startNote(view)
		if s, err := c.sampler.latest(r.Context()); err == nil {
			c.addLate(r.Context(), &d, view, s)
		}
	}
	c.renderDialog(w, r, d)
}

func (c *Console) showLettersDialog(w http.ResponseWriter, r *http.Request) {
	d, err := c.lettersDialog(r.Context(), r.PathValue("action"), lettersFilterOf(r.URL.Query()))
	if err != nil {
		c.fail(w, err)
		return
	}
	c.renderDialog(w, r, d)
}

func (c *Console) showQuotaDialog(w http.ResponseWriter, r *http.Request) {
	s, err := c.sampler.latest(r.Context())
	if err != nil {
		return
	}
	id := r.PathValue("id")
	if _, known := c.deps.Projects.Find(id); id != "" && !known {
		c.fail(w, c.noSuchProject(id))
		return
	}
	d, ok := c.quotaDialog(s, id, r.PathValue("action"))
	if !ok {
		c.notFound(w, r)
		return
	}
	c.renderDialog(w, r, d)
}

func (c *Console) renderDialog(w http.ResponseWriter, r *http.Request, d dialog) {
	d.Viewer = viewerOf(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := c.views.fragment(w, "campaign", "dialog", d); err != nil {
		c.deps.Logger.Error("page rendering failed; this is a bug", "page", "dialog", "error", err)
	}
}

func dialogOf(v operator.View, name string, recorded bool) (dialog, bool) {
	b, title := v.Books, cmp.Or(v.Spec.Name, v.Spec.ID)
	d := dialog{Action: name, Reason: true}
	ended := effect{"Already ended, unchanged", b.CountEnded()}
	switch name {
	case "pause":
		d.Title, d.Text, d.Keep, d.Do = "Pause "+title+"?", "Holds within a few seconds, in all dispatchers.", "Keep sending", "Pause"
		d.Effects = []effect{{"Not sent to until you resume", b.Waiting + b.Retrying}, {"On the wire, will finish", b.InFlight}, ended}
	case "resume":
		d.Title, d.Text, d.Keep, d.Do = "Resume "+title+"?", "It begins with a new canary; the rest follows when its answers look right.", "Leave it", "Resume"
		d.Effects = []effect{{"Will be sent to", b.CountOpen()}, ended}
	case "start":
		d.Title, d.Text, d.Keep, d.Do = "Start "+title+"?", "It begins with a canary; the rest follows when its answers look right.", "Not yet", "Start for "+operator.Thousands(b.CountOpen())
		d.Effects = []effect{{"Will be sent to", b.CountOpen()}}
	case "cancel":
		d.Title, d.Text, d.Keep, d.Do = "Cancel "+title+"?", "A cancelled campaign cannot be resumed.", "Keep it", "Cancel for "+operator.Thousands(b.CountOpen())
		d.Effects = []effect{{"Will not be sent to", b.Waiting + b.Retrying}, {"On the wire, will finish", b.InFlight}, ended}
	case "delete":
		d.Title, d.Text, d.Keep, d.Do = "Delete "+title+"?", "Its books and its list are removed from Redis.", "Keep it", "Delete"
		ended.Label = "Already ended, outcomes stay in SQL"
		if !recorded {
			ended.Label = "Already ended, no SQL keeps their outcomes"
		}
		d.Effects = []effect{{"Never sent to", b.Waiting + b.Retrying}, {"On the wire, waited for", b.InFlight}, ended}
		d.Reason, d.Type = false, v.Spec.ID
	default:
		return dialog{}, false
	}
	return d, true
}

// done is the answer to an action.
type done struct {
	Message string `json:"message"`
	Go      string `json:"go,omitempty"`     // the page to show next
	Reveal  string `json:"reveal,omitempty"` // replaces the masked text of the page
	// Back is the dialog that takes the action back; Undo is what undoes it at once.
	Back *wayBack `json:"back,omitempty"`
	Undo string   `json:"undo,omitempty"`
}

// wayBack is a dialog and the word on its button.
type wayBack struct {
	URL   string `json:"url"`
	Label string `json:"label"`
}

// act returns the handler of an action. It refuses viewers who may only read, and answers with what
// happened.
func (c *Console) act(perform func(*http.Request) (done, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := viewerOf(r); !v.Operate {
			http.Error(w, "This console is read only. Start it with --operate, and log in with an operator's token.", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "The form cannot be read: "+err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := perform(r)
		if err != nil {
			c.fail(w, err)
			return
		}
		c.sampler.poke()
		c.deps.Logger.Info("operator acted", "path", r.URL.Path, "who", viewerOf(r).Name, "reason", r.PostFormValue("reason"))
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	})
}

func (c *Console) actOnCampaign(r *http.Request) (done, error) {
	ctx, id, system := r.Context(), r.PathValue("id"), c.deps.System
	reason := strings.TrimSpace(clip(r.PostFormValue("reason"), maxReason)) // the history names who acted
	switch r.PathValue("action") {
	case "pause":
		return done{Message: "Paused " + id + ".", Back: &wayBack{c.campaignURL(id) + "/resume", "Resume…"}}, system.Pause(ctx, id, reason)
	case "resume", "start":
		return done{Message: "Started " + id + ".", Back: &wayBack{c.campaignURL(id) + "/pause", "Pause…"}}, system.Start(ctx, id, operator.StartOptions{Reason: reason, Late: r.PostFormValue("late") == "yes", Pace: c.deps.Projects.Pace})
	case "check":
		return c.beginCheck(id)
	case "test":
		return c.sendTest(r)
	case "cancel":
		return done{Message: "Cancelled " + id + "."}, system.Cancel(ctx, id, reason)
	case "delete":
		if r.PostFormValue("type") != id {
			return done{}, &inputError{"Type the campaign's id to delete it."}
		}
		gone, err := system.Delete(ctx, id, operator.DeleteOptions{Wait: operator.DefaultDeleteWait})
		return done{Message: deletedText(id, gone), Go: c.opts.Prefix + "/campaigns"}, err
	case "pace":
		change, err := changeOf(r.PostForm)
		if err != nil {
			return done{}, err
		}
		return done{Message: "Changed the pace of " + id + "; in force within a few seconds.", Back: c.paceBefore(ctx, id)}, system.Change(ctx, id, change)
	case sourceField:
		return c.changeSource(r)
	}
	return done{}, &inputError{"There is no such action."}
}

// maxReason is the longest reason that is kept, in bytes.
const maxReason = 500

// reasonOf adds who acted to a reason that no history belongs to.
func reasonOf(r *http.Request) string {
	who := actorOf(viewerOf(r))
	if reason := strings.TrimSpace(clip(r.PostFormValue("reason"), maxReason)); reason != "" {
		return reason + " (" + who + ")"
	}
	return "by " + who
}

func deletedText(id string, d operator.Deletion) string {
	text := "Deleted " + id + "."
	if d.Unsent > 0 {
		text += " " + plural(d.Unsent, "person was", "people were") + " never sent to."
	}
	if d.WithoutResult > 0 {
		text += " " + plural(d.WithoutResult, "push has", "pushes have") + " no result."
	}
	return text
}

// inputError is what a person typed that cannot be.
type inputError struct{ text string }

func (e *inputError) Error() string { return e.text }

// isNoCampaign reports whether there is no campaign of an id, or none can have it.
func isNoCampaign(err error) bool {
	_, never := errors.AsType[*keys.IDError](err)
	return never || errors.Is(err, campaign.ErrNotFound)
}

// fail says why an action was not done.
func (c *Console) fail(w http.ResponseWriter, err error) {
	status := http.StatusConflict
	var input *inputError
	switch {
	case isNoCampaign(err), errors.Is(err, errNoProject):
		status = http.StatusNotFound
	case errors.As(err, &input):
		status = http.StatusUnprocessableEntity
	}
	http.Error(w, redact.Text(err.Error()), status)
}
