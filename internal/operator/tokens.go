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

// progressEvery is after how many tokens an import tells how far it is.
const progressEvery = 1000

// ImportOptions say how the tokens of an audience are imported.
type ImportOptions struct {
	Format    Format
	Separator rune // between the columns of CSV; zero: what the first line says
	// MaxElement is the longest element that a load would take, in bytes; default queue.DefaultMaxElement.
	MaxElement int
	// Progress, when set, hears how many tokens have been read. It is called from one goroutine.
	Progress func(read int64)
}

// ImportTokens stores the tokens of an audience in Redis. Lines without a user or a token are left out and named in the
// summary. Being cut off does no harm: the import is repeated.
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
	err      error // why the file cannot be read on
}

// each yields users and tokens until the file ends or nobody wants more.
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
			i.err = fmt.Errorf("behind line %d: %w", i.rows.line(), err)
			return
		}
		if !i.yield(text, yield) {
			return
		}
	}
}

func (i *tokenImport) yield(element []byte, yield func(string, notification.Target) bool) (more bool) {
	r, err := campaign.DecodeRecipient(element)
	problem := ""
	switch {
	case err != nil || r.Target.IsZero(): // next has read it already: it can only be the token
		problem = "has no token"
	case !r.Target.IsSendable():
		problem = "has a value that cannot be a token: " + r.Target.Problem()
	}
	if problem != "" {
		i.rejected.add(RowError{Line: i.rows.line(), Problem: problem})
		return true
	}
	if i.read++; i.progress != nil && i.read%progressEvery == 0 {
		i.progress(i.read)
	}
	return yield(r.UserID, r.Target)
}
