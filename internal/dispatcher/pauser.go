package dispatcher

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// pauser pauses campaigns that wait for a person.
type pauser struct {
	campaigns *campaign.Campaigns
	roster    *roster
	timeout   time.Duration // limits one call to Redis
	log       *slog.Logger
}

// pause pauses a running campaign. A campaign that has already stopped stays as it is.
func (p *pauser) pause(ctx context.Context, camp *activeCampaign, reason string) error {
	err := p.campaigns.Move(ctx, camp.id, campaign.Paused, reason)
	if _, stopped := errors.AsType[*campaign.TransitionError](err); stopped || errors.Is(err, campaign.ErrNotFound) {
		return nil
	}
	return err
}

// noteTrip records a trip that does not pause the campaign: a pause is recorded by itself. The time
// of the trip keeps a second process from recording it again.
func (p *pauser) noteTrip(ctx context.Context, camp *activeCampaign, t *breaker.Trip) error {
	detail := t.Reason
	if t.Scope == breaker.Platform {
		detail = t.Platform + ": " + t.Reason
	}
	return p.campaigns.Note(ctx, camp.id, t.At.Format(time.RFC3339Nano), notification.HistoryEntry{What: campaign.NoteHeld, Detail: detail})
}

// noteRelease records that a hold has ended.
func (p *pauser) noteRelease(ctx context.Context, camp *activeCampaign) {
	entry := notification.HistoryEntry{What: campaign.NoteReleased, Detail: "FCM answered a probe; a canary follows"}
	if err := p.campaigns.Note(ctx, camp.id, "", entry); err != nil {
		p.log.Warn("end of a hold not recorded in the history", "campaign", camp.id, "error", err)
	}
}

// pauseIfRefused pauses a campaign whose look-up used a statement that the database refuses: a
// table or a permission is missing. Retries would not help. It reports whether the campaign is
// paused and its recipients can go back. An operator repairs the database and resumes the campaign.
func (p *pauser) pauseIfRefused(ctx context.Context, camp *activeCampaign, err error) bool {
	refused, ok := errors.AsType[*store.SettingError](err)
	if !ok || camp.isClosed() {
		return ok
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.timeout)
	defer cancel()
	if err := p.pause(ctx, camp, refused.Error()); err != nil {
		p.log.Warn("campaign not paused; its next look-up tries again", "campaign", camp.id, "error", err)
		return false
	}
	p.roster.drop(camp)
	p.log.Error("campaign paused; the database refuses a statement", "campaign", camp.id, "error", err,
		"next", "repair the database or the setting, then: fanfare campaign resume "+camp.id)
	return true
}
