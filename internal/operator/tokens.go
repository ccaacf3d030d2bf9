package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// progressEvery is after how many tokens an import reports its progress.
const progressEvery = 1000

// ImportOptions controls how the tokens of an audience are imported.
type ImportOptions struct {
	Format    Format
	Separator rune // of the CSV columns; zero detects it from the first line
	// MaxElement is the longest element that a load would accept, in bytes; default
	// queue.DefaultMaxElement.
	MaxElement int
	// Progress, if set, is called with the number of tokens read. Only one goroutine calls it.
	Progress func(read int64)
}

// ImportTokens stores the tokens of an audience in Redis. Lines without a user or a token are
// left out and named in the summary. An interrupted import can simply be repeated.
func (o *Operator) ImportTokens(ctx context.Context, r io.Reader, opts ImportOptions) (LoadSummary, error) {
	start := o.now()
	rows, err := newAudience(r, layout{opts.Format, opts.Separator}, cmp.Or(opts.MaxElement, queue.DefaultMaxElement))
	if err != nil {
		return LoadSummary{}, err
	}
	i := tokenImport{rows: rows, progress: opts.Progress}
	imported, err := o.deps.Tokens.Import(ctx, func(yield func(string, notification.Target) bool) {
		i.each(ctx, yield)
	})
	summary := LoadSummary{Loaded: int64(imported), Rejected: i.rejected.count, Errors: i.rejected.rows, Hints: rows.hints(), Took: o.now().Sub(start)}
	switch err := errors.Join(i.err, err); {
	case err != nil:
		return summary, fmt.Errorf("%w: %d tokens are stored; repeating the import does no harm", err, imported)
	case imported == 0 && summary.Rejected > 0:
		return summary, ErrNoToken
	}
	return summary, nil
}

// tokenImport reads users and tokens.
type tokenImport struct {
	rows     audience
	progress func(int64)
	read     int64
	rejected rejects
	err      error // why reading stopped
}

// each yields users and tokens until the file ends or the consumer stops.
func (i *tokenImport) each(ctx context.Context, yield func(string, notification.Target) bool) {
	var text []byte
	for i.err == nil {
		if i.err = context.Cause(ctx); i.err != nil {
			return
		}
		var err error
		text, err = i.rows.next(text[:0])
		if row, ok := errors.AsType[RowError](err); ok {
			i.rejected.add(row)
			continue
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			i.err = fmt.Errorf("after line %d: %w", i.rows.line(), err)
			return
		}
		if !i.yield(text, yield) {
			return
		}
	}
}

func (i *tokenImport) yield(element []byte, yield func(string, notification.Target) bool) (more bool) {
	r, err := campaign.DecodeRecipient(element)
	target, problem := tokenOf(r), ""
	switch {
	case err != nil || target.IsZero(): // next has validated the rest: only the token can be missing
		problem = "has no token"
	case !target.IsSendable():
		problem = "has a value that cannot be a token: " + target.Problem()
	}
	if problem != "" {
		i.rejected.add(RowError{Line: i.rows.line(), Problem: problem})
		return true
	}
	if i.read++; i.progress != nil && i.read%progressEvery == 0 {
		i.progress(i.read)
	}
	return yield(r.UserID, target)
}

// tokenOf returns the token of a recipient, also if its installation ID stands beside it.
func tokenOf(r notification.Recipient) notification.Target {
	target := r.Target
	for _, d := range r.Devices {
		switch {
		case d.Target.Kind != notification.TargetToken:
		case !target.IsZero():
			return notification.Target{} // of several tokens, none is the user's
		default:
			target = d.Target
		}
	}
	return target
}
