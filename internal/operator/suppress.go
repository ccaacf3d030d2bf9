package operator

import (
	"context"
	"errors"
	"fmt"
	"io"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/queue"
)

// SuppressSummary is the result of an import of suppressed users, also of an interrupted one.
type SuppressSummary struct {
	Added    int64               `json:"added"`
	Already  int64               `json:"already"` // were suppressed before, or are in the file more than once
	Rejected int64               `json:"rejected"`
	Errors   []audience.RowError `json:"errors,omitempty"` // the first of those rejected
	Took     Elapsed             `json:"seconds"`
}

// ErrNoUser rejects a file with only rejected lines.
var ErrNoUser = errors.New("no line is a user id: no one was suppressed")

// ImportSuppressed suppresses the users of a file: one user id on each line, or CSV or JSON with
// userId. Lines without a user are left out and named in the summary. progress, if not nil, is
// called with the number of users read. Memory use does not depend on the size of the file. An
// interrupted import can simply be repeated.
func (o *Operator) ImportSuppressed(ctx context.Context, r io.Reader, progress func(read int64)) (summary SuppressSummary, err error) {
	start := o.now()
	rows, err := audience.OpenUsers(r, queue.DefaultMaxElement)
	if err != nil {
		return summary, err
	}
	i := importer{rows: rows, progress: progress}
	var users []string
	add := func() error {
		added, err := o.deps.Suppressed.Add(ctx, users...)
		summary.Added += added
		if err == nil {
			summary.Already += int64(len(users)) - added
		}
		users = users[:0]
		return err
	}
	var failed error
	i.each(ctx, func(element []byte) (problem string, more bool) {
		r, err := campaign.DecodeRecipient(element)
		if err != nil {
			return audience.ProblemOf(err), true
		}
		if users = append(users, r.UserID); len(users) == batchRows {
			failed = add()
		}
		return "", failed == nil
	})
	if failed = errors.Join(i.err, failed); failed == nil {
		failed = add()
	}
	summary.Rejected, summary.Errors, summary.Took = i.rejected.count, i.rejected.rows, Elapsed{o.now().Sub(start)}
	switch {
	case failed != nil:
		return summary, fmt.Errorf("%w: %s users are suppressed by this import; repeating it does no harm", failed, Thousands(summary.Added))
	case i.read == 0 && summary.Rejected > 0:
		return summary, ErrNoUser
	case i.read == 0:
		return summary, &audience.FileError{Problem: "it has no user ids: no one was suppressed"}
	}
	return summary, nil
}
