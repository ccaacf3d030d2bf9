package console

import (
	"context"
	"net/http"

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
	c.sendCSV(w, r, "dead letters", func() (rows int64, err error) {
		found, err := operator.WriteLetters(w, c.deps.Letters.List(r.Context(), f.filter()))
		if err == nil {
			c.noteLettersExport(asActor(r, viewerOf(r)), f, letterCounts{campaigns: found.Campaigns})
		}
		return found.Rows, err
	})
}

// noteLettersExport records an export in the histories of the campaigns with the most letters. The
// file is written already, so a history that cannot be written is left to the log.
func (c *Console) noteLettersExport(ctx context.Context, f lettersFilter, found letterCounts) {
	for _, id := range found.noted() {
		if err := c.deps.System.NoteLettersExport(ctx, id, f.words(), found.campaigns[id]); err != nil {
			c.deps.Logger.Warn("export not recorded in the history", "campaign", id, "letters", found.campaigns[id], "error", err)
			return
		}
	}
}
