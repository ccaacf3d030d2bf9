// Package api serves the HTTP API: everything that a person does with fanfare, for programs. An
// application without access to Redis can create a campaign, stream its audience, start it, and
// read the outcomes. openapi.yaml describes it.
package api

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/history"
	"fanfare/internal/idempotency"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
	"fanfare/internal/schedule"
	"fanfare/internal/store"
)

// Prefix is the path of all endpoints.
const Prefix = "/api/v1"

// System is what the API shows and changes; *operator.Operator implements it.
type System interface {
	List(ctx context.Context) ([]operator.View, error)
	Show(ctx context.Context, id string) (operator.View, error)
	// Explain and ExplainAll say why campaigns do not move, and how long they take.
	Explain(ctx context.Context, v *operator.View, paces operator.FindPace)
	ExplainAll(ctx context.Context, views []operator.View, paces operator.FindPace)
	// PlanWaves predicts when the recipients of a campaign with time rules are sent to.
	PlanWaves(ctx context.Context, v operator.View, state pacing.State) (*operator.WavePlan, error)
	Create(ctx context.Context, spec campaign.Spec) error
	Change(ctx context.Context, id string, change campaign.Change) error
	// ReadLocalTime reads a local time, seen from a start: the one given, or else the stored one.
	ReadLocalTime(ctx context.Context, id, text string, startAt *time.Time) (schedule.LocalTime, error)
	// CheckSchedule refuses a change that leaves a scheduled draft with waves that do not fit.
	CheckSchedule(ctx context.Context, id string, change campaign.Change, paces operator.FindPace) error
	Load(ctx context.Context, id string, r io.Reader, opts operator.LoadOptions) (operator.LoadSummary, error)
	Start(ctx context.Context, id string, opts operator.StartOptions) error
	Pause(ctx context.Context, id, reason string) error
	Cancel(ctx context.Context, id, reason string) error
	Delete(ctx context.Context, id string, opts operator.DeleteOptions) (operator.Deletion, error)
	History(ctx context.Context, id string) (operator.History, error)
	Outcomes(ctx context.Context, id string, f store.Filter) (iter.Seq2[notification.Result, error], error)
	User(ctx context.Context, id string, limit int) (operator.User, error)
	Replay(ctx context.Context, f responses.Filter, opts operator.ReplayOptions) (operator.ReplaySummary, error)
	WouldReplay(ctx context.Context, f responses.Filter) (operator.ReplaySummary, error)
	Backlog(ctx context.Context) (operator.Backlog, error)
	Processes(ctx context.Context) ([]fleet.Process, error)
}

// Deps are what the API works with. Without Projects there is no quota to show or halt.
type Deps struct {
	System   System
	Projects operator.Projects
	Paces    operator.FindPace // of each campaign's own project; may be nil
	Requests *idempotency.Store
	Logger   *slog.Logger
}

// Caller is who sends a request.
type Caller struct {
	Name    string // recorded with what they do
	Operate bool   // may change something
}

// Options are settings of the API.
type Options struct {
	// Identify returns the caller of a request that was let through.
	Identify func(*http.Request) Caller
	// MaxElement is the longest element of an audience in bytes; default queue.DefaultMaxElement.
	MaxElement int
}

// API is the handler of all endpoints.
type API struct {
	deps Deps
	opts Options
	mux  *http.ServeMux

	plans       operator.WaveMemory
	readTimeout time.Duration // of an answer that changes nothing
}

// defaultReadTimeout is shorter than a server waits, so that a caller learns what has no answer.
const defaultReadTimeout = 20 * time.Second

// New returns the API.
func New(deps Deps, opts Options) (*API, error) {
	if deps.System == nil || deps.Requests == nil || opts.Identify == nil {
		return nil, errors.New("API needs a system, its requests, and callers")
	}
	a := &API{deps: deps, opts: opts, mux: http.NewServeMux(), readTimeout: defaultReadTimeout}
	methods := map[string][]string{"/openapi.yaml": {http.MethodGet}}
	for _, e := range a.endpoints() {
		a.mux.Handle(e.method+" "+Prefix+e.path, a.serve(e))
		methods[e.path] = append(methods[e.path], e.method)
	}
	for path, allowed := range methods {
		a.mux.Handle(Prefix+path, refuseMethod(allowed))
	}
	a.mux.HandleFunc("GET "+Prefix+"/openapi.yaml", a.showDescription)
	a.mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, &problem{Status: http.StatusNotFound, Title: "No such endpoint", Detail: "See " + Prefix + "/openapi.yaml."})
	})
	return a, nil
}

// refuseMethod answers a path that exists with what may be done there.
func refuseMethod(allowed []string) http.HandlerFunc {
	list := strings.Join(slices.Sorted(slices.Values(allowed)), ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", list)
		writeProblem(w, &problem{
			Status: http.StatusMethodNotAllowed, Title: "No such method here",
			Detail: fmt.Sprintf("%s takes %s.", r.URL.Path, list),
		})
	}
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// endpoint is a method of a path. handle returns what is written as JSON, with the status. stream
// writes the response itself, or returns an error before it has written anything.
type endpoint struct {
	method, path string
	operate      bool // only for callers who may change something
	handle       func(*http.Request) (status int, body any, err error)
	stream       func(http.ResponseWriter, *http.Request) error
}

func (a *API) endpoints() []endpoint {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	return []endpoint{
		{get, "/campaigns", false, a.listCampaigns, nil},
		{post, "/campaigns", true, a.createCampaign, nil},
		{get, "/campaigns/{id}", false, a.showCampaign, nil},
		{patch, "/campaigns/{id}", true, a.changeCampaign, nil},
		{del, "/campaigns/{id}", true, a.deleteCampaign, nil},
		{post, "/campaigns/{id}/start", true, a.startCampaign, nil},
		{post, "/campaigns/{id}/pause", true, a.pauseCampaign, nil},
		{post, "/campaigns/{id}/cancel", true, a.cancelCampaign, nil},
		{post, audiencePath, true, a.loadAudience, nil},
		{get, "/campaigns/{id}/history", false, a.showHistory, nil},
		{get, "/campaigns/{id}/outcomes", false, nil, a.exportOutcomes},
		{get, "/users/{id}", false, a.showUser, nil},
		{get, "/dead-letters", false, a.countLetters, nil},
		{post, "/dead-letters/replay", true, a.replayLetters, nil},
		{get, "/project", false, a.showOnlyProject, nil},
		{get, "/project/history", false, a.showProjectHistory, nil},
		{post, "/project/halt", true, a.haltProject, nil},
		{post, "/project/resume", true, a.resumeProject, nil},
		{get, "/projects", false, a.listProjects, nil},
		{get, "/projects/{id}", false, a.showProject, nil},
		{get, "/projects/{id}/history", false, a.showProjectHistory, nil},
		{post, "/projects/{id}/halt", true, a.haltProject, nil},
		{post, "/projects/{id}/resume", true, a.resumeProject, nil},
		{get, "/processes", false, a.listProcesses, nil},
	}
}

//go:embed openapi.yaml
var description []byte

func (a *API) showDescription(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(description)
}

// serve runs an endpoint, and writes its answer or its problem.
func (a *API) serve(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.operate && !a.opts.Identify(r).Operate {
			writeProblem(w, &problem{Status: http.StatusForbidden, Title: "Read only", Detail: "Use an operator's token, and start the console with --operate."})
			return
		}
		r = r.WithContext(history.WithActor(r.Context(), a.actor(r)))
		if e.takesAudience() {
			r.Body = upload{r.Body, http.NewResponseController(w)}
		}
		if e.method == http.MethodGet && e.stream == nil {
			ctx, cancel := context.WithTimeout(r.Context(), a.readTimeout)
			defer cancel()
			r = r.WithContext(ctx)
		}
		switch {
		case e.stream != nil:
			if err := e.stream(w, r); err != nil {
				writeProblem(w, a.explain(err))
			}
		case r.Method == http.MethodPost && r.Header.Get(idempotencyHeader) != "":
			a.serveOnce(w, r, e)
		default:
			a.run(e, r).write(w)
		}
	})
}

// actor is who acts, as the history of a campaign names them.
func (a *API) actor(r *http.Request) string {
	return strings.TrimPrefix(a.opts.Identify(r).Name+", API", ", ")
}

// run performs a request.
func (a *API) run(e endpoint, r *http.Request) answer {
	status, body, err := e.handle(r)
	if err != nil {
		return a.explain(err).answer()
	}
	if e.operate {
		a.deps.Logger.Info("API acted", "method", e.method, "path", r.URL.Path, "who", a.actor(r))
	}
	return newAnswer(status, "application/json", body)
}
