package operator

import (
	"bufio"
	"encoding/csv"
	"io"
	"iter"
	"strconv"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// LettersExport counts the dead letters that were written, and those of each campaign.
type LettersExport struct {
	Rows      int64
	Campaigns map[string]int64
}

// letterColumns are the columns of exported dead letters.
var letterColumns = []string{"at", "campaignId", "userId", "code", "reason", "attempts", "kind", "id"}

// WriteLetters writes dead letters as CSV, with tokens shortened. It stops at the first error of
// the output or of the letters. Its memory does not depend on their number.
func WriteLetters(w io.Writer, letters iter.Seq2[responses.DeadLetter, error]) (LettersExport, error) {
	done := LettersExport{Campaigns: make(map[string]int64)}
	buffer := bufio.NewWriterSize(w, exportBuffer)
	table := csv.NewWriter(buffer) // it writes into this buffer, without one of its own
	if err := table.Write(letterColumns); err != nil {
		return done, err
	}
	for l, err := range letters {
		if err == nil {
			err = table.Write(letterCells(&l))
		}
		if err != nil {
			if done.Rows > 0 {
				_ = buffer.Flush() // the first error says more
			}
			return done, err
		}
		done.Rows++
		done.Campaigns[l.Result.CampaignID]++
	}
	return done, buffer.Flush()
}

func letterCells(l *responses.DeadLetter) []string {
	cells := []string{
		l.At.UTC().Format(time.RFC3339Nano), l.Result.CampaignID, l.Result.UserID, l.Code(), notification.AbbreviateIn(l.Reason),
		strconv.Itoa(l.Result.Attempts), string(l.Kind), l.ID,
	}
	for i, cell := range cells {
		cells[i] = GuardCell(cell)
	}
	return cells
}
