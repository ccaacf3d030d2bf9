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

// progressEvery is after how many lines an import reports its progress.
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
	i := importer{rows: rows, progress: opts.Progress}
	imported, err := o.deps.Tokens.Import(ctx, func(yield func(string, notification.Target) bool) {
		i.each(ctx, func(element []byte) (problem string, more bool) {
			user, target, problem := readToken(element)
			return problem, problem == "" && yield(user, target)
		})
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

// importer reads the lines of a file for an import, and counts them.
type importer struct {
	rows     audience
	progress func(int64)
	read     int64
	rejected rejects
	err      error // why reading stopped
}

// each calls use for each element until the file ends or the consumer stops. use says what is wrong
// with an element, and whether the consumer wants more.
func (i *importer) each(ctx context.Context, use func(element []byte) (problem string, more bool)) {
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
		problem, more := use(text)
		switch {
		case problem != "":
			i.rejected.add(RowError{Line: i.rows.line(), Problem: problem})
			continue
		case !more:
			return
		}
		if i.read++; i.progress != nil && i.read%progressEvery == 0 {
			i.progress(i.read)
		}
	}
}

// readToken reads the user and the token of an element.
func readToken(element []byte) (user string, target notification.Target, problem string) {
	r, err := campaign.DecodeRecipient(element)
	target = tokenOf(r)
	switch {
	case err != nil || target.IsZero(): // next has validated the rest: only the token can be missing
		problem = "has no token"
	case !target.IsSendable():
		problem = "has a value that cannot be a token: " + target.Problem()
	}
	return r.UserID, target, problem
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
