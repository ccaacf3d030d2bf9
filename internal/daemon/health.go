package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Check returns nil if one part of the process works. It must end when ctx does.
type Check func(ctx context.Context) error

// checkTimeout is shorter than the 5 s that our manifests give a probe, so that the reply names the
// check that hangs. The default of Kubernetes is 1 s.
const checkTimeout = 2 * time.Second

// Health answers probes. Readiness depends on checks: the reply says what the process waits for.
// Liveness does not: a loop may wait for Redis, SQL or quota for hours, and a restart would not
// help.
type Health struct {
	mu    sync.Mutex
	ready map[string]Check
	phase atomic.Int32

	now        func() time.Time
	refreshing sync.Mutex // held while the checks run, so that concurrent callers share one run
	results    map[string]error
	staleAt    time.Time
}

// resultTTL is how long results serve all callers. It limits the load of probes on Redis and SQL.
const resultTTL = time.Second

const (
	phaseStarting int32 = iota
	phaseReady
	phaseStopping
)

var (
	errStarting = errors.New("starting")
	errStopping = errors.New("stopping")
)

func newHealth() *Health {
	return &Health{ready: make(map[string]Check), now: time.Now}
}

// AddReady registers a check of something that the work needs: Redis, SQL, credentials.
func (h *Health) AddReady(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready[name] = check
}

// Ready returns each check's result, at most a second old, and the current state of the process.
// The process is ready from the end of its start until it stops.
func (h *Health) Ready(ctx context.Context) map[string]error {
	results := maps.Clone(h.refresh(ctx))
	results["process"] = map[int32]error{phaseStarting: errStarting, phaseStopping: errStopping}[h.phase.Load()]
	return results
}

// refresh runs the checks concurrently if the last results are too old. Others wait for the results
// as well, so the end of ctx does not cancel the checks.
func (h *Health) refresh(ctx context.Context) map[string]error {
	h.refreshing.Lock()
	defer h.refreshing.Unlock()
	checks := h.cloneChecks()
	if len(h.results) != len(checks) || !h.now().Before(h.staleAt) {
		h.results = runChecks(context.WithoutCancel(ctx), checks)
		h.staleAt = h.now().Add(resultTTL)
	}
	return h.results
}

// cloneChecks copies the checks, since more may be added while they run.
func (h *Health) cloneChecks() map[string]Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.ready)
}

func runChecks(ctx context.Context, checks map[string]Check) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var (
		mu      sync.Mutex
		group   sync.WaitGroup
		results = make(map[string]error, len(checks))
	)
	for name, check := range checks {
		group.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			results[name] = err
		})
	}
	group.Wait()
	return results
}

// writeResults writes {"ok":false,"checks":{"redis":"connection refused"}} with status 200 or 503.
func writeResults(w http.ResponseWriter, results map[string]error) {
	body := struct {
		OK     bool              `json:"ok"`
		Checks map[string]string `json:"checks"`
	}{OK: true, Checks: make(map[string]string, len(results))}
	for name, err := range results {
		body.Checks[name] = "ok"
		if err != nil {
			body.OK = false
			body.Checks[name] = Scrub(err.Error())
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !body.OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// A prober that has gone away is not our error.
	_ = json.NewEncoder(w).Encode(body)
}
