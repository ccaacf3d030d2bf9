package operator

import (
	"context"
	"errors"
	"fmt"
	"io"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// ImportTokens stores the tokens of an audience. Lines without a user or a token are left out and named in the summary.
func (o *Operator) ImportTokens(ctx context.Context, r io.Reader, format Format) (LoadSummary, error) {
	var summary LoadSummary
	start := o.now()
	rows, err := newAudience(r, format)
	if err != nil {
		return summary, fmt.Errorf("read tokens: %w", err)
	}
	var broken error
	imported, err := o.deps.Tokens.Import(ctx, func(yield func(string, notification.Target) bool) {
		broken = eachToken(rows, &summary, yield)
	})
	summary.Loaded, summary.Took = int64(imported), o.now().Sub(start)
	if err := errors.Join(broken, err); err != nil {
		return summary, fmt.Errorf("import tokens: %d are stored, and repeating the import does no harm: %w", imported, err)
	}
	return summary, nil
}

// eachToken yields users and tokens until the file ends or nobody wants more.
func eachToken(rows audience, summary *LoadSummary, yield func(string, notification.Target) bool) error {
	var text []byte
	for {
		var err error
		text, err = rows.next(text[:0])
		if row, ok := errors.AsType[RowError](err); ok {
			summary.reject(row)
			continue
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		recipient, err := campaign.DecodeRecipient(text)
		if err != nil {
			return err // next has read it already
		}
		if recipient.Target.IsZero() {
			summary.reject(RowError{Line: rows.line(), Problem: "has no token"})
			continue
		}
		if !yield(recipient.UserID, recipient.Target) {
			return nil
		}
	}
}
