package console

import (
	"context"
	"sync"
	"time"

	"fanfare/internal/checks"
	"fanfare/internal/redact"
)

// healthInterval is how often the installation is checked while someone looks at its page. A check
// asks Redis, SQL and FCM.
const healthInterval = time.Minute

// healthCheck is what fanfare check says, for the page of the fleet. It runs beside the pages,
// since an unreachable part takes seconds.
type healthCheck struct {
	check func(ctx context.Context) []checks.Finding // nil: there is none
	now   func() time.Time
	wake  chan struct{}

	mu       sync.Mutex
	at       time.Time
	findings []checks.Finding
}

func newHealthCheck(check func(context.Context) []checks.Finding, now func() time.Time) *healthCheck {
	return &healthCheck{check: check, now: now, wake: make(chan struct{}, 1)}
}

// run checks while someone looks, until ctx ends.
func (h *healthCheck) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
		h.refresh(ctx)
		pause := time.NewTimer(healthInterval)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

func (h *healthCheck) refresh(ctx context.Context) {
	findings := h.check(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at, h.findings = h.now(), findings
}

// healthLine is one finding.
type healthLine struct {
	Icon, Class, Grade   string
	Name, Detail, Advice string
}

// health is the panel.
type health struct {
	Age   string // "" before the first check has ended
	Lines []healthLine
}

// latest returns the last findings, and asks for newer ones. It is nil if nothing is checked.
func (h *healthCheck) latest() *health {
	if h.check == nil {
		return nil
	}
	select {
	case h.wake <- struct{}{}:
	default: // it is known already
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	out := &health{}
	if h.at.IsZero() {
		return out
	}
	out.Age = ageText(h.now().Sub(h.at))
	for _, f := range h.findings {
		line := healthLine{"i-check", "ok-i", "good", f.Name, redact.Text(f.Detail), redact.Text(f.Advice)}
		switch f.Grade {
		case checks.Warning:
			line.Icon, line.Class, line.Grade = "i-expired", "wait-i", "warning"
		case checks.Failure:
			line.Icon, line.Class, line.Grade = "i-broken", "no-i", "failure"
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}
