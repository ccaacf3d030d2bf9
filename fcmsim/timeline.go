package fcmsim

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Timeline switches rules as time goes. Until its first step, the rules stay that were in force when it began; each
// step replaces all of them.
type Timeline struct {
	Steps []Step `json:"steps"`
	// Repeat starts the timeline over after so long; 0 plays it once.
	Repeat Duration `json:"repeat,omitzero"`
}

// Step says which rules come into force how long after the timeline's beginning.
type Step struct {
	At    Duration `json:"at"`
	Rules Rules    `json:"rules"`
}

// ParseTimeline reads a Timeline from JSON, or its steps alone as an array; an unknown field is an error.
func ParseTimeline(data []byte) (Timeline, error) {
	var t Timeline
	into := any(&t)
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		into = &t.Steps
	}
	if err := decodeStrictly(data, into); err != nil {
		return Timeline{}, fmt.Errorf("read timeline: %w", err)
	}
	return t, t.check()
}

func (t Timeline) check() error {
	if len(t.Steps) == 0 {
		return errors.New("timeline: it has no steps")
	}
	for i, step := range t.Steps {
		if step.At < 0 || i > 0 && step.At <= t.Steps[i-1].At {
			return fmt.Errorf("timeline: step %d at %s does not come after the one before it", i+1, step.At)
		}
		if err := step.Rules.check(); err != nil {
			return fmt.Errorf("timeline: step %d: %w", i+1, err)
		}
	}
	if last := t.Steps[len(t.Steps)-1].At; t.Repeat != 0 && t.Repeat <= last {
		return fmt.Errorf("timeline: repeat %s does not come after the last step at %s", t.Repeat, last)
	}
	return nil
}

// script is a Timeline that is being played.
type playback struct {
	timeline Timeline
	began    time.Time
	rulesets []*ruleset // one before the first step, then one for each
}

func newPlayback(t Timeline, before *ruleset, now time.Time) *playback {
	sc := &playback{timeline: t, began: now, rulesets: []*ruleset{before}}
	for _, step := range t.Steps {
		sc.rulesets = append(sc.rulesets, newRuleset(step.Rules, now))
	}
	return sc
}

// at is the playbook of a moment, which knows until when it holds.
func (sc *playback) rulesetAt(now time.Time) *ruleset {
	cycle := sc.began
	repeat := time.Duration(sc.timeline.Repeat)
	if repeat > 0 {
		cycle = cycle.Add(now.Sub(cycle) / repeat * repeat)
	}
	steps, passed := sc.timeline.Steps, 0
	for passed < len(steps) && now.Sub(cycle) >= time.Duration(steps[passed].At) {
		passed++
	}
	current := *sc.rulesets[passed]
	current.playback, current.until = sc, time.Time{}
	if passed > 0 {
		current.since = cycle.Add(time.Duration(steps[passed-1].At))
	}
	if passed < len(steps) {
		current.until = cycle.Add(time.Duration(steps[passed].At))
	} else if repeat > 0 {
		current.until = cycle.Add(repeat)
	}
	return &current
}

// Play starts a timeline, in place of one that is being played.
func (s *Simulator) PlayTimeline(t Timeline) error {
	if err := t.check(); err != nil {
		return err
	}
	now := time.Now()
	s.active.Store(newPlayback(t, s.rulesetAt(now), now).rulesetAt(now))
	return nil
}

// Stop ends the timeline that is being played; the rules of its present step stay in force.
func (s *Simulator) StopTimeline() {
	current := *s.rulesetAt(time.Now())
	current.playback, current.until = nil, time.Time{}
	s.active.Store(&current)
}

// Playing is the timeline that is being played and when it began; false if there is none.
func (s *Simulator) Timeline() (Timeline, time.Time, bool) {
	sc := s.rulesetAt(time.Now()).playback
	if sc == nil {
		return Timeline{}, time.Time{}, false
	}
	return sc.timeline, sc.began, true
}

// book is the playbook in force.
func (s *Simulator) rulesetAt(now time.Time) *ruleset {
	for {
		current := s.active.Load()
		if current.until.IsZero() || now.Before(current.until) {
			return current
		}
		s.active.CompareAndSwap(current, current.playback.rulesetAt(now))
	}
}
