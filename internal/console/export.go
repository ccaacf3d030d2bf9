package console

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/operator"
)

// export streams the outcomes of a campaign as CSV, and records that. A query selects some, as with
// fanfare campaign export.
func (c *Console) export(w http.ResponseWriter, r *http.Request) {
	id, ctx := r.PathValue("id"), r.Context()
	filter, err := operator.ParseFilter(r.URL.Query().Get("status"), r.URL.Query().Get("code"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	outcomes, err := c.deps.System.Outcomes(ctx, id, filter)
	switch {
	case isNoCampaign(err):
		c.notFound(w, r)
		return
	case err != nil:
		c.fail(w, err)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // an export may take longer than a page
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(id) + ".csv"}))
	done, err := operator.WriteOutcomes(w, audience.CSV, outcomes)
	if err == nil {
		err = c.deps.System.NoteExport(ctx, id, filter, done.Rows)
	}
	if err == nil {
		return
	}
	c.deps.Logger.Warn("export not completed", "campaign", id, "rows", done.Rows, "error", err)
	if done.Rows == 0 && !errors.Is(err, ctx.Err()) {
		c.fail(w, err)
		return
	}
	panic(http.ErrAbortHandler) // the browser must not take a part for all
}

// fileName replaces what no file system likes.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, clip("campaign "+id, 100))
}
