package operator

import (
	"context"
	"sync"
	"time"

	"fanfare/internal/pacing"
)

// WavePlanner plans campaigns with time rules; *Operator implements it.
type WavePlanner interface {
	PlanWaves(ctx context.Context, v View, state pacing.State) (*WavePlan, error)
}

// WaveMemory keeps plans for a while, because each plan reads a sample of the audience. Its zero
// value is ready, and it may be used by several goroutines.
type WaveMemory struct {
	mu   sync.Mutex
	byID map[string]*planReading
}

const (
	// planAge is how long a plan is kept.
	planAge = 30 * time.Second
	// plansKept limits the campaigns whose plans are kept.
	plansKept = 100
)

// planReading is a plan, nil if the campaign has none. Its lock is held while it is made.
type planReading struct {
	mu   sync.Mutex
	at   time.Time
	plan *WavePlan
}

// HasWaves reports whether a campaign has time rules, and may still be sent by them.
func (v View) HasWaves() bool {
	return v.Spec.State != "" && !v.Spec.State.HasEnded() && v.Err == nil && !v.Spec.Rules().IsZero()
}

// Plan returns the plan of a campaign, at most planAge old; nil without time rules. Callers at the
// same time share one plan. An error is told once, and then there is no plan until the next one.
func (m *WaveMemory) Plan(ctx context.Context, from WavePlanner, v View, state pacing.State, now time.Time) (*WavePlan, error) {
	if !v.HasWaves() {
		return nil, nil
	}
	reading := m.find(v.Spec.ID)
	reading.mu.Lock()
	defer reading.mu.Unlock()
	if !reading.at.IsZero() && now.Sub(reading.at) < planAge {
		return reading.plan, nil
	}
	var err error
	reading.plan, err = from.PlanWaves(ctx, v, state)
	reading.at = now
	if reading.plan != nil {
		reading.plan.At = now
	}
	return reading.plan, err
}

// find returns the reading of a campaign. It drops all others if they are many.
func (m *WaveMemory) find(id string) *planReading {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found := m.byID[id]; found != nil {
		return found
	}
	if m.byID == nil || len(m.byID) >= plansKept {
		m.byID = make(map[string]*planReading)
	}
	m.byID[id] = &planReading{}
	return m.byID[id]
}
