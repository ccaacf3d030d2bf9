package pacing

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/bounds"
)

// State is a project's state by the server's clock.
type State struct {
	Now        time.Time
	Settings   Settings // in force
	Overridden bool     // set by an operator; see Governor.Reset
	Rate       float64  // pushes a second allowed now, over all replicas
	Warm       float64  // share of the ramp that is done, 0 to 1
	Lead       time.Duration
	Gate       Gate
	Halts      []Halt // oldest first; empty if the project is not halted

	idle time.Duration
}

// Gate is a stop of all sending until a time, after a project-wide 429 or by hand. The zero Gate is
// open.
type Gate struct {
	Until  time.Time
	Reason string // FCM's words; "" if a person closed it
	By     string // ByFCM, or a person; "" if an earlier version wrote the gate
}

// IsClosed reports whether the gate is closed at an instant.
func (g Gate) IsClosed(at time.Time) bool { return at.Before(g.Until) }

// Cause says who closed the gate and why, for a sentence such as "the gate is closed by FCM: 429".
// It begins with the space or the colon, and is "" if neither is known.
func (g Gate) Cause() string {
	text := ""
	if g.By != "" {
		text = " by " + g.By
	}
	if g.Reason != "" {
		text += ": " + g.Reason
	}
	return text
}

// Halt is one reason why sending stops until someone resumes the project.
type Halt struct {
	Reason string
	Since  time.Time
	By     string
}

// State reads the project's state. It does not need Run.
func (g *Governor) State(ctx context.Context) (State, error) {
	now, pace, halts, err := g.shared.read(ctx)
	if err != nil {
		return State{}, fmt.Errorf("read pace: %w", err)
	}
	s := State{Now: toTime(now), Settings: g.o.Settings, idle: g.o.Idle, Halts: decodeHalts(halts)}
	if _, set := pace["quota"]; set {
		if s.Settings, err = decodeSettings(pace); err != nil {
			return State{}, fmt.Errorf("read pace: %w", err)
		}
		s.Overridden = true
	}
	if until := toTime(parseWhole(pace["gate"])); until.After(s.Now) {
		until = earlier(until, s.Now.Add(g.o.MaxGate))
		s.Gate = Gate{Until: until, Reason: pace["reason"], By: gateAuthor(pace)}
	}
	if cursor := toTime(parseWhole(pace["cursor"])); pace["cursor"] != "" {
		s.Lead = max(0, cursor.Sub(s.Now))
		s.Warm = fraction(pace["warm"])
		s.Warm = cool(s.Warm, s.Now.Sub(cursor), g.o.Idle)
	}
	if !s.Gate.IsClosed(s.Now) && len(s.Halts) == 0 && s.AvoidedUntil().IsZero() {
		p := s.Settings.profile()
		s.Rate = p.rate(s.Warm*p.ramp) * 1e6
	}
	return s, nil
}

// gateAuthor returns who closed the gate that stands. An earlier version writes a gate without its
// author, beside that of an older gate.
func gateAuthor(pace map[string]string) string {
	gate, by, _ := strings.Cut(pace["by"], " ")
	if gate != pace["gate"] {
		return ""
	}
	return by
}

// fraction parses a number from 0 to 1. Other text counts as 0.
func fraction(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0) { // NaN fails this, too
		return 0
	}
	return min(n, 1)
}

// cool returns how warm the ramp is after a pause. lua/lease.lua does the same.
func cool(warm float64, pause, idle time.Duration) float64 {
	return max(0, warm-max(0, float64(pause)/float64(idle)))
}

func decodeSettings(pace map[string]string) (Settings, error) {
	quota, err1 := strconv.Atoi(pace["quota"])
	headroom, err2 := strconv.ParseFloat(pace["headroom"], 64)
	ramp, err3 := strconv.ParseInt(pace["ramp"], 10, 64)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return Settings{}, fmt.Errorf("a setting in Redis is not a number; delete the settings with fanfare quota reset: %w", err)
		}
	}
	s := Settings{Quota: quota, Headroom: headroom, Ramp: micros(ramp), AvoidQuarterHours: pace["avoid"] == "1"}
	return s, s.Validate()
}

func decodeHalts(fields map[string]string) []Halt {
	var halts []Halt
	for reason, note := range fields {
		since, by, _ := strings.Cut(note, " ")
		halts = append(halts, Halt{Reason: reason, Since: bounds.Milli(parseWhole(since)), By: by})
	}
	slices.SortFunc(halts, func(a, b Halt) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.Reason, b.Reason)
	})
	return halts
}
