package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Check tells whether one part works; nil is well. It ends when ctx does.
type Check func(ctx context.Context) error

// checkTimeout is shorter than any prober's patience, so that the answer names the check that hangs.
const checkTimeout = 2 * time.Second

// Health answers whether the process lives (else: restart it) and whether it is ready (else: look at what it needs).
type Health struct {
	mu    sync.Mutex
	live  map[string]Check
	ready map[string]Check
	phase atomic.Int32
}

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
	return &Health{live: make(map[string]Check), ready: make(map[string]Check)}
}

// AddLive registers a check that only a restart can mend, such as a loop that has stopped turning. Never one of Redis
// or SQL: restarting us does not mend them.
func (h *Health) AddLive(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live[name] = check
}

// AddReady registers a check of what the work needs: Redis, SQL, credentials.
func (h *Health) AddReady(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready[name] = check
}

// Live runs the live checks at once and gives each one's verdict.
func (h *Health) Live(ctx context.Context) map[string]error {
	return runChecks(ctx, h.copy(h.live))
}

// Ready runs the ready checks at once and gives each one's verdict, and that of the process itself, which is not ready
// before its start is done nor once it stops.
func (h *Health) Ready(ctx context.Context) map[string]error {
	verdicts := runChecks(ctx, h.copy(h.ready))
	verdicts["process"] = map[int32]error{phaseStarting: errStarting, phaseStopping: errStopping}[h.phase.Load()]
	return verdicts
}

func (h *Health) copy(checks map[string]Check) map[string]Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	same := make(map[string]Check, len(checks))
	for name, check := range checks {
		same[name] = check
	}
	return same
}

func runChecks(ctx context.Context, checks map[string]Check) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var (
		mu       sync.Mutex
		group    sync.WaitGroup
		verdicts = make(map[string]error, len(checks)+1)
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
func answer(w http.ResponseWriter, verdicts map[string]error) {
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
