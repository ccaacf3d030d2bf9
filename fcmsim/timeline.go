package fcmsim

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Timeline changes the rules as time passes. Each step replaces all rules; until the first one,
// those in force at the start remain.
type Timeline struct {
	Steps []Step `json:"steps"`
	// Repeat restarts the timeline after this time, which is later than the last step; 0 plays it
	// once.
	Repeat Duration `json:"repeat,omitzero"`
}

// Step is rules and when they come into force. At counts from the start of the timeline and
// increases from step to step.
type Step struct {
	At    Duration `json:"at"`
	Rules Rules    `json:"rules"`
}

// ParseTimeline reads a Timeline from JSON, or only its steps as an array. An unknown field, no
// steps, steps out of order or invalid rules are errors.
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
		return errors.New("timeline: no steps")
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

// playback is a Timeline in progress.
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

// rulesetAt returns the ruleset of a moment, which knows until when it is valid.
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

// PlayTimeline starts a timeline and ends another one. An invalid timeline returns an error and
// changes nothing.
func (s *Simulator) PlayTimeline(t Timeline) error {
	if err := t.check(); err != nil {
		return err
	}
	now := time.Now()
	s.active.Store(newPlayback(t, s.rulesetAt(now), now).rulesetAt(now))
	return nil
}

// StopTimeline ends a timeline. The rules of its current step stay in force.
func (s *Simulator) StopTimeline() {
	current := *s.rulesetAt(time.Now())
	current.playback, current.until = nil, time.Time{}
	s.active.Store(&current)
}

// Timeline returns the timeline in progress and when it began. It reports false if there is none.
func (s *Simulator) Timeline() (Timeline, time.Time, bool) {
	sc := s.rulesetAt(time.Now()).playback
	if sc == nil {
		return Timeline{}, time.Time{}, false
	}
	return sc.timeline, sc.began, true
}

// rulesetAt returns the ruleset in force.
func (s *Simulator) rulesetAt(now time.Time) *ruleset {
	for {
		current := s.active.Load()
		if current.until.IsZero() || now.Before(current.until) {
			return current
		}
		s.active.CompareAndSwap(current, current.playback.rulesetAt(now))
	}
}
