package dispatcher

import (
	"context"
	"log/slog"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/periodic"
)

// progressInterval is how often a Job logs how far its campaign is.
const progressInterval = 10 * time.Second

// progressLogger logs how far a Job's campaign is, over all processes that serve it.
type progressLogger struct {
	campaign  string
	campaigns *campaign.Campaigns
	timeout   time.Duration // limits one tick
	now       func() time.Time
	log       *slog.Logger

	at    time.Time // of the last line
	ended int64     // recipients that had ended then
}

func (p *progressLogger) run(ctx context.Context) { periodic.Run(ctx, progressInterval, p.look) }

// look is one tick. Without books there is no line: the other roles say what is wrong with Redis.
func (p *progressLogger) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	b, err := p.campaigns.Books(ctx, p.campaign)
	if err != nil {
		return
	}
	now, ended := p.now(), b.CountEnded()
	attrs := append([]any{"campaign", p.campaign}, countAttrs(b)...)
	attrs = append(attrs, "waiting", b.Waiting, "in_flight", b.InFlight, "retrying", b.Retrying)
	if took := now.Sub(p.at).Seconds(); !p.at.IsZero() && took > 0 {
		rate := float64(ended-p.ended) / took
		attrs = append(attrs, "rate", int64(rate))
		if rate > 0 {
			attrs = append(attrs, "left", time.Duration(float64(b.CountOpen())/rate*float64(time.Second)).Round(time.Second))
		}
	}
	p.at, p.ended = now, ended
	p.log.Info("campaign progress", attrs...)
}

// countAttrs are the recipients that were loaded and that have ended, as attributes of a log line.
func countAttrs(b campaign.Books) []any {
	attrs := []any{"loaded", b.Loaded, "ended", b.CountEnded(), "sent", b.Sent}
	for _, count := range []struct {
		name string
		n    int64
	}{{"failed", b.Failed}, {"skipped", b.Skipped}, {"expired", b.Expired}, {"unknown", b.Unknown}, {"missing", b.Missing}} {
		if count.n != 0 {
			attrs = append(attrs, count.name, count.n)
		}
	}
	return attrs
}
