// Package console serves the operator's web console: pages that are rendered on the server, kept
// live by one stream of server-sent events a page, and embedded with everything that they load.
//
// All open pages share one snapshot of the system a second. A page is a model and a template made
// of parts; a stream sends the parts that have changed.
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/fleet"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
	"fanfare/internal/store"
	"fanfare/internal/traffic"
)

// System is what the console shows and changes; *operator.Operator and the rooms behind it
// implement it.
type System interface {
	// ListAgain lists all campaigns. memory is of the call before.
	ListAgain(ctx context.Context, memory *operator.ListMemory) ([]operator.View, error)
	Show(ctx context.Context, id string) (operator.View, error)
	Traffic(ctx context.Context, id string, limit int) (traffic.Series, error)
	// RecentTraffic is that of the last half hour.
	RecentTraffic(ctx context.Context, id string) (traffic.Series, error)
	// PlanWaves predicts when the recipients of a campaign with time rules are sent to; nil for
	// others.
	PlanWaves(ctx context.Context, v operator.View, state pacing.State) (*operator.WavePlan, error)
	User(ctx context.Context, id string, limit int) (operator.User, error)
	FillForNewest(ctx context.Context, spec campaign.Spec, user string) (operator.FilledMessage, error)
	Create(ctx context.Context, spec campaign.Spec) error
	Load(ctx context.Context, id string, r io.Reader, opts operator.LoadOptions) (operator.LoadSummary, error)
	Start(ctx context.Context, id string, opts operator.StartOptions) error
	Change(ctx context.Context, id string, change campaign.Change) error
	Delete(ctx context.Context, id string, opts operator.DeleteOptions) (operator.Deletion, error)
	// Backlog counts what waits between FCM and SQL, and the dead letters.
	Backlog(ctx context.Context) (operator.Backlog, error)
	// Forecast sets the forecasts of running campaigns. It never fails.
	Forecast(ctx context.Context, views ...*operator.View)
	// PushedThisMinute returns the requests of campaigns in the present minute, by id.
	PushedThisMinute(ctx context.Context, ids []string) (map[string]int64, error)
	// Processes lists the running dispatchers and responders.
	Processes(ctx context.Context) ([]fleet.Process, error)
	// Outcomes yields the outcomes of a campaign in SQL; NoteExport records that they were read.
	Outcomes(ctx context.Context, id string, f store.Filter) (iter.Seq2[notification.Result, error], error)
	NoteExport(ctx context.Context, id string, f store.Filter, rows int64) error
	Report(ctx context.Context, id string) (*operator.Report, error)
	// RecentHistory returns what happened to a campaign, the newest last.
	RecentHistory(ctx context.Context, id string) ([]notification.HistoryEntry, error)
	Pause(ctx context.Context, id, reason string) error
	Cancel(ctx context.Context, id, reason string) error
	Replay(ctx context.Context, f responses.Filter, opts operator.ReplayOptions) (operator.ReplaySummary, error)
	EstimateReplay(ctx context.Context, letters iter.Seq[responses.DeadLetter]) (would operator.ReplaySummary, exact bool, err error)
	// NotePurge records in a campaign's history that dead letters were purged, and which.
	NotePurge(ctx context.Context, id, which string, letters int64) error
	// NoteLettersExport records in a campaign's history that dead letters were exported, and which.
	NoteLettersExport(ctx context.Context, id, which string, letters int64) error
}

// Records are the outcomes in SQL; *store.Store implements it.
type Records interface {
	Summary(ctx context.Context, campaign string) (store.Summary, error)
	// Minutes returns the outcomes of a campaign by minute.
	Minutes(ctx context.Context, campaign string) ([]store.Minute, error)
}

// Deps are what a console works with. Without Projects, no quota, gate or halt is shown. Records
// may be nil: then no figure of SQL is.
type Deps struct {
	System   System
	Letters  Letters
	Projects operator.Projects
	Records  Records
	// API is served under /api/ to those who may look; nil: nothing is. It asks CallerOf.
	API http.Handler
	// Check checks a campaign with FCM before it is sent. nil: this console cannot.
	Check func(ctx context.Context, id string) ([]checks.Finding, error)
	// SendTest sends a test outside a campaign's books. nil: this console cannot.
	SendTest func(ctx context.Context, t operator.TestSend) ([]operator.TestResult, error)
	// Health checks the installation, as fanfare check does. nil: its page does not show that.
	Health func(ctx context.Context) []checks.Finding
	// MaxElement is the longest element that a dispatcher accepts, in bytes; 0: the default.
	MaxElement int
	Logger     *slog.Logger
}

// Options are a console's settings.
type Options struct {
	// Prefix is the path under which a proxy serves the console, such as "/fanfare". "" is the
	// root.
	Prefix string
	// Operate allows actions. Without it every page is read-only.
	Operate bool
	// Tokens are the logins by role. Without any, no login is needed: only for loopback.
	Tokens Tokens
	// Hosts are the names under which the console is reached. Others are refused, against DNS
	// rebinding. Loopback names are always allowed.
	Hosts []string
	// Actor is recorded for actions without a login, such as "ops".
	Actor string
}

func (o Options) validate() error {
	if o.Prefix != "" && (!strings.HasPrefix(o.Prefix, "/") || strings.HasSuffix(o.Prefix, "/") || !isPath(o.Prefix)) {
		return fmt.Errorf("path prefix is %q, want one such as /fanfare", o.Prefix)
	}
	return o.Tokens.validate()
}

// isPath reports whether a text has only the characters that a path needs no escapes for.
func isPath(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/-_.~", r)
	})
}

// Console is the handler of all pages. Run keeps its snapshot fresh.
type Console struct {
	deps          Deps
	opts          Options
	now           func() time.Time
	undoFor       time.Duration
	sampler       *sampler
	sessions      *sessions
	letters       letterIndex
	raises        raises
	plans         operator.WaveMemory
	health        *healthCheck
	traffic       *recent[traffic.Series] // all that Redis keeps
	recentTraffic *recent[traffic.Series] // the last half hour
	minutes       *recent[[]store.Minute]
	sql           sqlWatch
	shared        sharedUpdates
	listed        operator.ListMemory // of the sampler
	works         works
	reports       reports
	views         *views
	handler       http.Handler
}

// New returns a console. It serves once Run runs.
func New(deps Deps, opts Options) (*Console, error) {
	if deps.System == nil || deps.Letters == nil {
		return nil, errors.New("console needs a system and its dead letters")
	}
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("console options: %w", err)
	}
	c := &Console{
		deps: deps, opts: opts, now: time.Now, undoFor: undoFor,
		traffic: newRecent[traffic.Series](recordAge), recentTraffic: newRecent[traffic.Series](recordAge), minutes: newRecent[[]store.Minute](minutesAge),
	}
	var err error
	if c.views, err = parseViews(opts.Prefix); err != nil {
		return nil, err
	}
	c.sampler = newSampler(c.takeSnapshot, func() time.Time { return c.now() })
	c.sessions = newSessions(opts.Tokens)
	c.health = newHealthCheck(deps.Health, func() time.Time { return c.now() })
	c.handler = c.guard(c.divide(bound(c.routes(), readTimeout)))
	return c, nil
}

// Run takes snapshots until ctx ends.
//
// What the console does for a person ends with it: Run stops loads and replays, and waits for them.
func (c *Console) Run(ctx context.Context) {
	c.works.open(ctx)
	defer c.works.close()
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { _, _, _ = c.letters.find(ctx, c.deps.Letters, responses.Filter{}, c.now()) }) // the first reading of many takes a second; a page says what is wrong
	beside.Go(func() { c.health.run(ctx) })
	c.sampler.run(ctx)
}

func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// divide gives programs the API, and people the pages.
func (c *Console) divide(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.deps.API != nil && strings.HasPrefix(r.URL.Path, apiPath) {
			c.deps.API.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// readTimeout is shorter than a server waits, so that a viewer learns what has no answer.
const readTimeout = 20 * time.Second

// bound ends a page or a dialog that takes too long. A stream and an export may.
func bound(pages http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && !wantsStream(r) && !strings.HasSuffix(r.URL.Path, "/export") {
			ctx, cancel := context.WithTimeout(r.Context(), limit)
			defer cancel()
			r = r.WithContext(ctx)
		}
		pages.ServeHTTP(w, r)
	})
}

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", staticFiles())
	mux.HandleFunc("GET /login", c.showLogin)
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /logout", c.logout)
	mux.HandleFunc("POST /theme", c.setTheme)
	mux.Handle("GET /{$}", http.RedirectHandler(c.opts.Prefix+"/campaigns", http.StatusFound))
	mux.Handle("GET /campaigns", c.page("campaigns", c.campaignsModel))
	mux.Handle("GET /campaigns/{id}", c.page("campaign", c.campaignModel))
	mux.Handle("GET /dead", c.page("letters", c.lettersModel))
	mux.HandleFunc("GET /people", c.showPeople)
	mux.HandleFunc("GET /people/{action}", c.showPeopleDialog)
	mux.Handle("POST /people/{action}", c.act(c.actOnPeople))
	mux.Handle("GET /quota", c.page("quota", c.quotaModel))
	mux.Handle("GET /new", c.page("new", c.newModel))
	mux.HandleFunc("POST /new", c.readForm(c.create))
	mux.HandleFunc("POST /new/check", c.readForm(c.checkMessage))
	mux.Handle("GET /campaigns/{id}/audience", c.page("audience", c.audienceModel))
	mux.HandleFunc("POST /campaigns/{id}/audience", c.upload)
	mux.Handle("GET /campaigns/{id}/ready", c.page("ready", c.readyModel))
	mux.HandleFunc("GET /campaigns/{id}/export", c.export)
	mux.HandleFunc("GET /campaigns/{id}/report", c.showReport)
	mux.HandleFunc("GET /campaigns/{id}/{action}", c.showDialog)
	mux.HandleFunc("GET /dead/export", c.exportLetters)
	mux.HandleFunc("GET /dead/{action}", c.showLettersDialog)
	mux.HandleFunc("GET /quota/{action}", c.showQuotaDialog)
	mux.Handle("GET /projects/{id}", c.page("quota", c.projectModel))
	mux.HandleFunc("GET /projects/{id}/{action}", c.showQuotaDialog)
	mux.Handle("POST /campaigns/{id}/{action}", c.act(c.actOnCampaign))
	mux.Handle("POST /dead/{action}", c.act(c.actOnLetters))
	mux.Handle("POST /quota/{action}", c.act(c.actOnQuota))
	mux.Handle("POST /projects/{id}/{action}", c.act(c.actOnQuota))
	mux.Handle("POST /works/{id}/stop", c.act(c.stopWork))
	mux.HandleFunc("GET /palette", c.palette)
	mux.HandleFunc("GET /", c.notFound)
	return mux
}
