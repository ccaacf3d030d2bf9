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

// Check tells whether one part works; nil is well. It ends when ctx does.
type Check func(ctx context.Context) error

// checkTimeout is shorter than the patience that our manifests give a prober, 5 s, so that the answer names the check that
// hangs. Kubernetes' own default is 1 s.
const checkTimeout = 2 * time.Second

// Health answers whether the process is ready, else what it waits for. Whether it lives needs no check: it answers. Loops that
// wait for Redis, for SQL or for the quota, be it for hours, are in order, and a restart would mend none of that.
type Health struct {
	mu    sync.Mutex
	ready map[string]Check
	phase atomic.Int32

	now        func() time.Time
	refreshing sync.Mutex // held while the checks run: who asks meanwhile waits for their result
	results    map[string]error
	staleAt    time.Time
}

// freshFor is how long the results of the checks stand for all who ask, so that no number of probes reaches Redis or SQL more often.
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

// AddReady registers a check of what the work needs: Redis, SQL, credentials.
func (h *Health) AddReady(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready[name] = check
}

// Ready gives each ready check's verdict, at most a second old, and that of the process itself, which is not ready before its start is
// done nor once it stops.
func (h *Health) Ready(ctx context.Context) map[string]error {
	verdicts := maps.Clone(h.refresh(ctx))
	verdicts["process"] = map[int32]error{phaseStarting: errStarting, phaseStopping: errStopping}[h.phase.Load()]
	return verdicts
}

// verdicts runs the checks side by side, unless they ran within the last second. They do not end with the one who asks, since others
// wait for them, too.
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

// checks copies them, so that none is added while they run.
func (h *Health) cloneChecks() map[string]Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.ready)
}

func runChecks(ctx context.Context, checks map[string]Check) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var (
		mu       sync.Mutex
		group    sync.WaitGroup
		verdicts = make(map[string]error, len(checks))
	)
	for name, check := range checks {
		group.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			verdicts[name] = err
		})
	}
	group.Wait()
	return verdicts
}

// answer writes the verdicts as {"ok":false,"checks":{"redis":"connection refused"}}, with status 200 or 503.
func writeResults(w http.ResponseWriter, verdicts map[string]error) {
	body := struct {
		OK     bool              `json:"ok"`
		Checks map[string]string `json:"checks"`
	}{OK: true, Checks: make(map[string]string, len(verdicts))}
	for name, err := range verdicts {
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
