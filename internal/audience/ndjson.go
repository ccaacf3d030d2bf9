package audience

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"fanfare/internal/campaign"
)

// ndjsonReader yields its lines, after decoding them as the dispatcher will.
type ndjsonReader struct {
	lines *bufio.Reader
	limit int
	at    int
}

func (a *ndjsonReader) Line() int { return a.at }

func (a *ndjsonReader) Hints() []string { return nil }

func (a *ndjsonReader) Next(dst []byte) ([]byte, error) {
	for {
		text, err := a.lines.ReadSlice('\n')
		if len(text) == 0 && err != nil {
			return dst, err
		}
		a.at++
		if errors.Is(err, bufio.ErrBufferFull) {
			return dst, a.skipLine(len(text))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return dst, err
		}
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		if err := checkSize(text, a.limit, a.at); err != nil {
			return dst, err
		}
		if problem := ElementProblem(text); problem != "" {
			return dst, RowError{Line: a.at, Problem: problem}
		}
		return append(dst, text...), nil
	}
}

// skipLine skips the rest of a line that does not fit into the buffer.
func (a *ndjsonReader) skipLine(bytes int) error {
	for {
		text, err := a.lines.ReadSlice('\n')
		bytes += len(text)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return err
		default:
			return RowError{Line: a.at, Problem: fmt.Sprintf("is %d bytes long, over the limit of %d (queue.max_element)", bytes, a.limit)}
		}
	}
}

// ProblemOf returns the problem of an element, without the prefix that says it is one.
func ProblemOf(err error) string {
	if malformed, ok := errors.AsType[*campaign.MalformedError](err); ok {
		return malformed.Problem
	}
	return err.Error()
}

// ElementProblem says why an element is not a recipient; "" if it is one.
func ElementProblem(element []byte) string {
	r, err := campaign.DecodeRecipient(element)
	if err != nil {
		return ProblemOf(err)
	}
	if problem := spreadsheetProblem(r.UserID); problem != "" {
		return problem
	}
	if err := cmp.Or(checkLocales(r), checkQuiet(r)); err != nil {
		return err.Error()
	}
	return ""
}
