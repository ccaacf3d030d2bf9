package dispatcher

import (
	"context"
	"errors"

	"fanfare/internal/store"
)

// pauseIfRefused pauses a campaign whose look-up met a statement that the database refuses: a table is gone, or a permission.
// Waiting would not end that. It reports whether the campaign is paused, so that what it holds can go back. A person repairs the
// database and resumes the campaign.
func (d *Dispatcher) pauseIfRefused(ctx context.Context, camp *activeCampaign, err error) bool {
	refused, ok := errors.AsType[*store.SettingError](err)
	if !ok || camp.isClosed() {
		return ok
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.opts.redisTimeout())
	defer cancel()
	if err := d.reporter.pause(ctx, camp, refused.Error()); err != nil {
		d.quietly.Do(func() {
			d.log.Warn("campaign not paused; its next look-up tries again", "campaign", camp.id, "error", err)
		})
		return false
	}
	d.roster.drop(camp)
	d.log.Error("campaign paused; the database refuses a statement", "campaign", camp.id, "error", err,
		"next", "repair the database or the setting, then: fanfare campaign resume "+camp.id)
	return true
}
