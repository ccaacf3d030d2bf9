package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fanfare/internal/redact"
)

// model returns what a page shows of a snapshot.
type model func(ctx context.Context, s *Snapshot, r *http.Request) (content any, title string, err error)

// frame is what every page shows: the content, and the side with quota and counts.
type frame struct {
	Title   string
	Page    string // name of the template
	Theme   string // "light", "dark" or "": the system's
	Project string
	Prefix  string
	Viewer  viewer
	Login   bool // logins exist
	Live    live
	Side    side
	Content any
}

// live says how old the figures are.
type live struct {
	State string // live, late or lost
	Age   string
	Note  string // why nothing newer is known
}

// lostAfter is the age at which the page says that its figures are old.
const lostAfter = 15 * time.Second

// lateAge is the age at which figures no longer look fresh: their age turns to ink.
const lateAge = 5 * time.Second

func liveOf(s *Snapshot, now time.Time) live {
	l := live{State: "live", Age: span(now.Sub(s.GoodAt))}
	switch {
	case s.Err != nil && now.Sub(s.GoodAt) > lostAfter || s.GoodAt.IsZero():
		l.State = "lost"
	case now.Sub(s.GoodAt) > lateAge:
		l.State = "late"
	}
	if s.Err != nil {
		l.Note = redact.Text(s.Err.Error())
	}
	return l
}

// page returns the handler of a page. To a browser it serves HTML, to its stream the parts that
// have changed, and to its polling fallback all parts once.
func (c *Console) page(name string, m model) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		switch {
		case wantsStream(r):
			c.stream(w, r, name, m)
		case strings.HasPrefix(r.Header.Get("Accept"), "application/json"):
			c.servePartsOnce(w, r, name, m)
		default:
			c.servePage(w, r, name, m)
		}
	})
}

func wantsStream(r *http.Request) bool { return r.Header.Get("Accept") == "text/event-stream" }

func (c *Console) servePage(w http.ResponseWriter, r *http.Request, name string, m model) {
	s, err := c.sampler.latest(r.Context())
	if err != nil {
		return // the browser has gone
	}
	f, err := c.frame(r, s, name, m)
	if err != nil {
		c.renderError(w, r, s, err)
		return
	}
	c.render(w, http.StatusOK, name, f)
}

// frame builds the content of a page.
func (c *Console) frame(r *http.Request, s *Snapshot, name string, m model) (frame, error) {
	f := c.emptyFrame(r, s, name)
	if s.GoodAt.IsZero() {
		return f, fmt.Errorf("read the system: %w", s.Err)
	}
	var err error
	f.Content, f.Title, err = m(r.Context(), s, r)
	return f, err
}

func (c *Console) emptyFrame(r *http.Request, s *Snapshot, name string) frame {
	return frame{
		Page: name, Theme: themeOf(r), Project: c.projectLabel(), Prefix: c.opts.Prefix, Viewer: viewerOf(r), Login: !c.opts.Tokens.isEmpty(),
		Live: liveOf(s, c.now()), Side: c.sideOf(s),
	}
}

// render writes a page at once, so that an error in a template is not half a page.
func (c *Console) render(w http.ResponseWriter, status int, name string, f frame) {
	var buffer bytes.Buffer
	if err := c.views.page(&buffer, name, f); err != nil {
		c.deps.Logger.Error("page rendering failed; this is a bug", "page", name, "error", err)
		http.Error(w, "This page cannot be shown; see the console's log.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = buffer.WriteTo(w) // a browser that has gone is no error of ours
}

func (c *Console) renderError(w http.ResponseWriter, r *http.Request, s *Snapshot, err error) {
	f := c.emptyFrame(r, s, "problem")
	status := http.StatusBadGateway
	problem := problemContent{Headline: "Nothing can be shown now", Text: redact.Text(err.Error()), Hint: "The page tries again by itself. fanfare check says what is wrong."}
	if isNoCampaign(err) {
		status = http.StatusNotFound
		problem = problemContent{Headline: "There is no such campaign", Text: "It may have been deleted, or its time of retention is over.", Hint: "Its outcomes stay in SQL."}
	}
	if errors.Is(err, errNoProject) {
		status = http.StatusNotFound
		problem = problemContent{Headline: "There is no such project", Text: capital(err.Error()) + ".", Hint: "Quota, in the menu, lists them."}
	}
	if errors.Is(err, errReadOnly) {
		status = http.StatusForbidden
		problem = problemContent{Headline: "This console is read only", Text: "It shows everything, and changes nothing.", Hint: "To act, start it with --operate, and log in with an operator’s token."}
	}
	f.Title, f.Content = problem.Headline, problem
	c.render(w, status, "problem", f)
}

// problemContent is a page that says what went wrong.
type problemContent struct{ Headline, Text, Hint string }

func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	s, err := c.sampler.latest(r.Context())
	if err != nil {
		return
	}
	f := c.emptyFrame(r, s, "problem")
	f.Title = "There is no such page"
	f.Content = problemContent{Headline: f.Title, Text: "The address has no page of the console.", Hint: "Continue from the menu."}
	c.render(w, http.StatusNotFound, "problem", f)
}

// update is one message of a stream: the parts of the page that have changed.
type update struct {
	Parts map[string]string `json:"parts"`
	State string            `json:"state"`
	Age   float64           `json:"age"` // seconds, of the figures when they were sent
	Note  string            `json:"note,omitempty"`
}

// stream sends the changed parts of a page with each snapshot until the viewer leaves or logs out.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, name string, m model) {
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // a stream has no end
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy must not hold events back
	defer c.sampler.watch()()
	sent := make(map[string]uint64)
	var seen *Snapshot
	for {
		s, err := c.sampler.next(r.Context(), seen)
		if err != nil {
			return
		}
		if _, ok := c.findViewer(r); !ok {
			return // logged out meanwhile
		}
		seen = s
		text, err := json.Marshal(c.updateOf(r, s, name, m).changesFor(sent))
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}

// servePartsOnce is the fallback where streams do not get through.
func (c *Console) servePartsOnce(w http.ResponseWriter, r *http.Request, name string, m model) {
	s, err := c.sampler.latest(r.Context())
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c.updateOf(r, s, name, m).update)
}

// renderUpdate renders all parts of a page. A page that cannot be rendered any more keeps what it
// shows.
func (c *Console) renderUpdate(r *http.Request, s *Snapshot, name string, m model) update {
	l := liveOf(s, c.now())
	u := update{State: l.State, Age: c.now().Sub(s.GoodAt).Seconds(), Note: l.Note, Parts: map[string]string{}}
	f, err := c.frame(r, s, name, m)
	if err != nil {
		u.State, u.Note = "lost", redact.Text(err.Error())
		return u
	}
	parts, err := c.views.parts(name, f)
	if err != nil {
		c.deps.Logger.Error("page rendering failed; this is a bug", "page", name, "error", err)
		u.State, u.Note = "lost", "the page cannot be rendered"
		return u
	}
	u.Parts = parts
	return u
}
