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
type script struct {
	timeline Timeline
	began    time.Time
	books    []*playbook // one before the first step, then one for each
}

func newScript(t Timeline, before *playbook, now time.Time) *script {
	sc := &script{timeline: t, began: now, books: []*playbook{before}}
	for _, step := range t.Steps {
		sc.books = append(sc.books, newPlaybook(step.Rules, now))
	}
	return sc
}

// at is the playbook of a moment, which knows until when it holds.
func (sc *script) at(now time.Time) *playbook {
	cycle := sc.began
	repeat := time.Duration(sc.timeline.Repeat)
	if repeat > 0 {
		cycle = cycle.Add(now.Sub(cycle) / repeat * repeat)
	}
	steps, passed := sc.timeline.Steps, 0
	for passed < len(steps) && now.Sub(cycle) >= time.Duration(steps[passed].At) {
		passed++
	}
	book := *sc.books[passed]
	book.script, book.until = sc, time.Time{}
	if passed > 0 {
		book.since = cycle.Add(time.Duration(steps[passed-1].At))
	}
	if passed < len(steps) {
		book.until = cycle.Add(time.Duration(steps[passed].At))
	} else if repeat > 0 {
		book.until = cycle.Add(repeat)
	}
	return &book
}

// Play starts a timeline, in place of one that is being played.
func (s *Simulator) Play(t Timeline) error {
	if err := t.check(); err != nil {
		return err
	}
	now := time.Now()
	s.playbook.Store(newScript(t, s.book(now), now).at(now))
	return nil
}

// Stop ends the timeline that is being played; the rules of its present step stay in force.
func (s *Simulator) Stop() {
	book := *s.book(time.Now())
	book.script, book.until = nil, time.Time{}
	s.playbook.Store(&book)
}

// Playing is the timeline that is being played and when it began; false if there is none.
func (s *Simulator) Playing() (Timeline, time.Time, bool) {
	sc := s.book(time.Now()).script
	if sc == nil {
		return Timeline{}, time.Time{}, false
	}
	return sc.timeline, sc.began, true
}

// book is the playbook in force.
func (s *Simulator) book(now time.Time) *playbook {
	for {
		book := s.playbook.Load()
		if book.until.IsZero() || now.Before(book.until) {
			return book
		}
		s.playbook.CompareAndSwap(book, book.script.at(now))
	}
}
