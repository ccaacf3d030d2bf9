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
	// stormWindow is how long answers are gathered for stormLeast of them. It is shorter than the
	// pause after which the log counts a warning as ended.
	stormWindow = 40 * time.Second
)

// answerMeter warns while most answers of FCM to a campaign say the same, and that is no success.
type answerMeter struct {
	log *slog.Logger

	mu         sync.Mutex
	byCampaign map[string]*answerCounts
}

// answerCounts are the answers to a campaign that were not judged yet.
type answerCounts struct {
	total int
	bad   map[saidAnswer]int
	looks int // at which they were too few
}

// saidAnswer is what FCM said, and whether the recipient ends with it.
type saidAnswer struct {
	text  string
	final bool
}

func newAnswerMeter(log *slog.Logger) *answerMeter {
	return &answerMeter{log: log, byCampaign: make(map[string]*answerCounts)}
}

// count counts an answer to a push of a campaign.
func (m *answerMeter) count(campaign string, a fcm.Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.byCampaign[campaign]
	if c == nil {
		c = &answerCounts{bad: make(map[saidAnswer]int)}
		m.byCampaign[campaign] = c
	}
	c.total++
	if a.Class == fcm.Sent {
		return
	}
	said := saidAnswer{cmp.Or(a.Code, a.Class.String()), isFinal(a)}
	if _, known := c.bad[said]; known || len(c.bad) < maxAnswers {
		c.bad[said]++
	}
}

// isFinal reports whether FCM refused a push in a way that another try would not change.
func isFinal(a fcm.Answer) bool {
	switch a.Class {
	case fcm.BadMessage, fcm.TooLarge, fcm.BadTarget, fcm.Unregistered, fcm.SenderMismatch, fcm.NotFound, fcm.Other:
		return true
	}
	return false
}

// maxAnswers bounds the different answers of one campaign, which an endpoint may make up.
const maxAnswers = 100

func (m *answerMeter) run(ctx context.Context) { periodic.Run(ctx, meterInterval, m.look) }

// look is one tick: it judges the answers to each campaign, once they are enough.
func (m *answerMeter) look(context.Context) {
	m.mu.Lock()
	judged := make(map[string]*answerCounts)
	for campaign, c := range m.byCampaign {
		if c.looks++; c.total >= stormLeast || time.Duration(c.looks)*meterInterval >= stormWindow {
			judged[campaign] = c
			delete(m.byCampaign, campaign)
		}
	}
	m.mu.Unlock()
	for campaign, c := range judged {
		m.judge(campaign, c)
	}
}

func (m *answerMeter) judge(campaign string, c *answerCounts) {
	for said, n := range c.bad {
		share := float64(n) / float64(c.total)
		if n < stormLeast || share < stormShare {
			continue
		}
		most := fmt.Sprintf("%s to %.0f%%", said.text, 100*share)
		if said.final {
			m.log.Warn("FCM refuses most pushes for good", "campaign", campaign, "answer", most, "answers", c.total)
		} else {
			m.log.Warn("FCM answers most pushes with an error", "campaign", campaign, "answer", most, "answers", c.total)
		}
	}
}
