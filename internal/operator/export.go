package operator

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/notification"
	"fanfare/internal/terminal"
)

// Export counts what was written.
type Export struct {
	Rows int64 `json:"rows"`
	// Guarded counts cells of CSV that got an apostrophe: see GuardCell.
	Guarded int64 `json:"guarded"`
}

// exportColumns are the columns of an exported CSV, named as in a result.
var exportColumns = []string{"userId", "status", "errorCode", "error", "messageId", "attempts", "tokenRemoved", "at", "resultId", "variant", "locale"}

// exportBuffer is how much of an export is written at once.
const exportBuffer = 1 << 16

// WriteOutcomes writes outcomes as CSV, or as NDJSON in the form of the contract. It stops at the
// first error of the output or of the outcomes. Its memory does not depend on their number.
func WriteOutcomes(w io.Writer, format audience.Format, outcomes iter.Seq2[notification.Result, error]) (Export, error) {
	buffer := bufio.NewWriterSize(w, exportBuffer)
	var done Export
	var write func(notification.Result) error
	switch format {
	case audience.CSV:
		table := csv.NewWriter(buffer) // it writes into this buffer, without one of its own
		if err := table.Write(exportColumns); err != nil {
			return done, err
		}
		write = func(r notification.Result) error { return table.Write(done.guard(exportCells(r))) }
	case audience.NDJSON:
		lines := json.NewEncoder(buffer)
		lines.SetEscapeHTML(false)
		write = func(r notification.Result) error { return lines.Encode(r) }
	default:
		return done, &FilterError{fmt.Sprintf("there is no format %q: use %s or %s", format, audience.CSV, audience.NDJSON)}
	}
	for r, err := range outcomes {
		if err != nil {
			if done.Rows > 0 {
				_ = buffer.Flush() // the first error says more
			}
			return done, err
		}
		if err := write(r); err != nil {
			return done, err
		}
		done.Rows++
	}
	return done, buffer.Flush()
}

func exportCells(r notification.Result) []string {
	return []string{
		r.UserID, string(r.Status), r.ErrorCode, r.Error, r.MessageID, strconv.Itoa(r.Attempts),
		strconv.FormatBool(r.TokenRemoved), r.At.UTC().Format(time.RFC3339Nano), r.ResultID, r.Variant, r.Locale,
	}
}

func (e *Export) guard(cells []string) []string {
	for i, cell := range cells {
		guarded := GuardCell(cell)
		if guarded != cell {
			e.Guarded++
		}
		cells[i] = guarded
	}
	return cells
}

// GuardCell returns a cell that no spreadsheet takes for a formula. A text that begins with one of
// = + - @ gets an apostrophe in front, and so does one that begins with an apostrophe. To read a
// cell back, remove one. Line breaks and other unprintable characters are escaped.
func GuardCell(text string) string {
	if !terminal.IsPrintable(text) {
		quoted := strconv.QuoteToGraphic(text)
		text = quoted[1 : len(quoted)-1]
	}
	if text != "" && strings.ContainsRune("=+-@'", rune(text[0])) {
		return "'" + text
	}
	return text
}
