package responder

import (
	"context"
	"fmt"
	"log/slog"

	"fanfare/internal/notification"
	"fanfare/internal/redisx"
)

// historyCopier copies the histories of campaigns to SQL, where they stay when a campaign is gone.
// All responders do so: it costs little, and a copied entry is recognised.
type historyCopier struct {
	from  Histories
	to    HistoryWriter
	after map[string]string // by campaign, the newest entry that was copied
	fails bool              // the last copy failed
	log   *slog.Logger
}

func newHistoryCopier(from Histories, to HistoryWriter, log *slog.Logger) *historyCopier {
	return &historyCopier{from: from, to: to, after: make(map[string]string), log: log}
}

// copy is one tick. An outage is logged once.
func (h *historyCopier) copy(ctx context.Context) {
	err := h.from.VisitNewHistory(ctx, h.after, func(campaign string, entries []notification.HistoryEntry) error {
		if err := h.to.AddHistory(ctx, campaign, entries); err != nil {
			return err
		}
		h.after[campaign] = entries[len(entries)-1].ID
		return nil
	})
	switch {
	case err == nil && h.fails:
		h.log.Info("campaign histories are copied to SQL again")
	case err != nil && !h.fails && ctx.Err() == nil:
		h.log.Warn("campaign histories not copied to SQL; retrying, and they stay in Redis", "error", explainDenial(err))
	}
	h.fails = err != nil
}

// explainDenial says what to grant: a responder did not always need it.
func explainDenial(err error) error {
	if redisx.IsDenied(err) {
		return fmt.Errorf("%w; grant the responder's Redis user ~campaign:* ~{campaign:* +sscan +xrange", err)
	}
	return err
}
