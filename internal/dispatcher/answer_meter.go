package dispatcher

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/periodic"
)

const (
	// meterInterval is how often the answers are looked at. The log counts repeated warnings, so
	// that a storm is one line with its duration.
	meterInterval = 5 * time.Second
	// stormShare is the share of equal bad answers that is a storm, and stormLeast their number.
	stormShare, stormLeast = 0.5, 20
)

// answerMeter warns while most answers of FCM say the same, and that is no success.
type answerMeter struct {
	log *slog.Logger

	mu    sync.Mutex
	total int
	bad   map[string]int // by what FCM said
}

func newAnswerMeter(log *slog.Logger) *answerMeter {
	return &answerMeter{log: log, bad: make(map[string]int)}
}

// count counts an answer to a push.
func (m *answerMeter) count(a fcm.Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total++
	if a.Class == fcm.Sent {
		return
	}
	said := cmp.Or(a.Code, a.Class.String())
	if _, known := m.bad[said]; known || len(m.bad) < maxAnswers {
		m.bad[said]++
	}
}

// maxAnswers bounds the different answers of one interval, which an endpoint may make up.
const maxAnswers = 100

func (m *answerMeter) run(ctx context.Context) { periodic.Run(ctx, meterInterval, m.look) }

// look is one tick: it evaluates the answers since the one before.
func (m *answerMeter) look(context.Context) {
	m.mu.Lock()
	total, bad := m.total, m.bad
	m.total, m.bad = 0, make(map[string]int)
	m.mu.Unlock()
	for answer, n := range bad {
		if share := float64(n) / float64(total); n >= stormLeast && share >= stormShare {
			m.log.Warn("FCM answers most pushes with an error", "answer", fmt.Sprintf("%s to %.0f%%", answer, 100*share), "answers", total)
		}
	}
}
