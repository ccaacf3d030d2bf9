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
	c.sendCSV(w, r, fileName(id), func() (rows int64, err error) {
		done, err := operator.WriteOutcomes(w, audience.CSV, outcomes)
		if err == nil {
			err = c.deps.System.NoteExport(ctx, id, filter, done.Rows)
		}
		return done.Rows, err
	})
}

// sendCSV sends a file that write streams. If it fails before the first row, the browser gets the
// error, and else no end: it must not take a part for all.
func (c *Console) sendCSV(w http.ResponseWriter, r *http.Request, name string, write func() (rows int64, err error)) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // an export may take longer than a page
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + ".csv"}))
	rows, err := write()
	if err == nil {
		return
	}
	c.deps.Logger.Warn("export not completed", "file", name, "rows", rows, "error", err)
	if rows > 0 || errors.Is(err, r.Context().Err()) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Del("Content-Disposition")
	c.fail(w, err)
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
