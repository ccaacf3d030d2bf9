package console

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"time"

	"fanfare/internal/operator"
)

// exportLetters streams the dead letters that a filter selects as CSV, the newest first. The
// histories of their campaigns record it.
func (c *Console) exportLetters(w http.ResponseWriter, r *http.Request) {
	f := lettersFilterOf(r.URL.Query())
	if err := f.check(); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	ctx := r.Context()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // an export may take longer than a page
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "dead letters.csv"}))
	found, err := operator.WriteLetters(w, c.deps.Letters.List(ctx, f.filter()))
	if err == nil {
		c.noteLettersExport(asActor(r, viewerOf(r)), f, lettersTally{campaigns: found.Campaigns})
		return
	}
	c.deps.Logger.Warn("export not completed", "letters", found.Rows, "error", err)
	if found.Rows == 0 && !errors.Is(err, ctx.Err()) {
		c.fail(w, err)
		return
	}
	panic(http.ErrAbortHandler) // the browser must not take a part for all
}

// noteLettersExport records an export in the histories of the campaigns with the most letters. The
// file is written already, so a history that cannot be written is left to the log.
func (c *Console) noteLettersExport(ctx context.Context, f lettersFilter, found lettersTally) {
	for _, id := range found.noted() {
		if err := c.deps.System.NoteLettersExport(ctx, id, f.words(), found.campaigns[id]); err != nil {
			c.deps.Logger.Warn("export not recorded in the history", "campaign", id, "letters", found.campaigns[id], "error", err)
			return
		}
	}
}
