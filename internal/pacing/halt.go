package pacing

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The reasons of halts that end by themselves begin with one of these: a dispatcher takes them back when FCM answers a probe.
const (
	RefusedCredentials = "credentials refused: "
	WrongEndpoint      = "wrong endpoint: "
)

// EndsByItself reports whether a halt is taken back once FCM answers a probe.
func (h Halt) EndsByItself() bool {
	return strings.HasPrefix(h.Reason, RefusedCredentials) || strings.HasPrefix(h.Reason, WrongEndpoint)
}

// Halt lets nothing go, in any replica, until the same reason is resumed, or all are. Several may stand at once. This replica
// stops before Redis hears of it, but goes on when the error says that Redis did not: repeat it.
func (g *Governor) Halt(ctx context.Context, reason string) error {
	g.mu.Lock()
	g.metrics.dropped.Add(float64(g.quota.void()))
	g.halted = true
	g.quota.again = time.Now().Add(recheck)
	g.mu.Unlock()
	era, err := g.book.halt(ctx, reason, g.o.By)
	if err != nil {
		return fmt.Errorf("halt project: %w", err)
	}
	g.hear(era)
	return nil
}

// Resume takes back all halts; a ramp follows.
func (g *Governor) Resume(ctx context.Context) error {
	_, err := g.resume(ctx, "")
	return err
}

// ResumeFrom takes back the halt of one reason, whose cause is mended, and tells whether the project goes on: others may stand.
func (g *Governor) ResumeFrom(ctx context.Context, reason string) (free bool, err error) {
	if reason == "" {
		return false, fmt.Errorf("resume project: no reason is named")
	}
	return g.resume(ctx, reason)
}

func (g *Governor) resume(ctx context.Context, reason string) (bool, error) {
	era, free, err := g.book.resume(ctx, reason)
	if err != nil {
		return false, fmt.Errorf("resume project: %w", err)
	}
	g.hear(era)
	return free, nil
}

// heard is the listener's; what it cannot read, and what it may have missed, is asked for.
func (g *Governor) heard(message string) {
	era, err := strconv.ParseInt(message, 10, 64)
	if err != nil {
		era = 0
	}
	g.hear(era)
}

// hear makes void what was leased in an earlier era, and has Redis asked how things stand.
func (g *Governor) hear(era int64) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if era > g.quota.era {
		g.metrics.dropped.Add(float64(g.quota.void()))
		g.quota.era = era
	}
	g.quota.peek, g.quota.again = true, now
	g.poke(now)
}
