package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
)

// loadBatch is how many recipients one command carries: with 1,000 Redis spends most of its time on the elements, and
// other clients wait about a millisecond at most.
const loadBatch = 1000

// maxRowErrors bounds the lines that a summary names; the others are only counted.
const maxRowErrors = 20

// LoadOptions say how an audience is loaded.
type LoadOptions struct {
	Format Format
	// Append adds to an audience that is there already; without it such a load is refused.
	Append bool
	// SkipRows passes over the first recipients of the file: those that an interrupted load had loaded.
	SkipRows int64
	// Progress, when set, hears after each batch how many recipients are loaded. It is called from one goroutine.
	Progress func(loaded int64)
}

// LoadSummary tells what a load did. It is filled also when the load broke off.
type LoadSummary struct {
	Loaded   int64         `json:"loaded"`
	Rejected int64         `json:"rejected"`
	Errors   []RowError    `json:"errors,omitempty"`
	Took     time.Duration `json:"took"`
}

// reject counts a line that was left out, and names it while there are few.
func (s *LoadSummary) reject(row RowError) {
	if s.Rejected++; len(s.Errors) < maxRowErrors {
		s.Errors = append(s.Errors, row)
	}
}

// batch is a group of elements on the way from the file to Redis.
type batch struct {
	elements [][]byte
	text     []byte // what the elements lie in
}

// Load reads an audience and appends it to a campaign's list. Lines that are no recipients are left out and named in
// the summary. Memory stays flat, whatever the audience's size.
func (o *Operator) Load(ctx context.Context, id string, r io.Reader, opts LoadOptions) (LoadSummary, error) {
	var summary LoadSummary
	start := o.now()
	rows, err := newAudience(r, opts.Format)
	if err != nil {
		return summary, fmt.Errorf("read audience: %w", err)
	}
	loading, err := o.deps.Campaigns.Load(ctx, id, opts.Append)
	if err != nil {
		return summary, err
	}
	batches, spent := make(chan *batch, 2), make(chan *batch, 4)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		return readBatches(ctx, rows, opts.SkipRows, batches, spent, &summary)
	})
	loaded := int64(0)
	group.Go(func() error {
		for b := range batches {
			if err := loading.Append(ctx, b.elements); err != nil {
				return err
			}
			loaded += int64(len(b.elements))
			if opts.Progress != nil {
				opts.Progress(loaded)
			}
			select {
			case spent <- b:
			default:
			}
		}
		return nil
	})
	err = errors.Join(group.Wait(), loading.Close(context.WithoutCancel(ctx)))
	summary.Loaded, summary.Took = loaded, o.now().Sub(start)
	if err != nil && loaded > 0 {
		return summary, fmt.Errorf("%w: the first %d recipients are loaded; go on with --append --skip %d",
			err, loaded+opts.SkipRows, loaded+opts.SkipRows)
	}
	return summary, err
}

// readBatches cuts the audience into batches until it ends. Batches that have been sent are used again.
func readBatches(ctx context.Context, rows audience, skip int64, out chan<- *batch, spent <-chan *batch, summary *LoadSummary) error {
	for {
		b := reuse(spent)
		ended, err := fillBatch(rows, &skip, b, summary)
		if err != nil {
			return err
		}
		if len(b.elements) > 0 {
			select {
			case out <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if ended {
			return nil
		}
	}
}

func reuse(spent <-chan *batch) *batch {
	select {
	case b := <-spent:
		b.elements, b.text = b.elements[:0], b.text[:0]
		return b
	default:
		return &batch{elements: make([][]byte, 0, loadBatch)}
	}
}

// fillBatch reads up to loadBatch recipients, and tells whether the audience has ended.
func fillBatch(rows audience, skip *int64, b *batch, summary *LoadSummary) (ended bool, err error) {
	ends := make([]int, 0, loadBatch)
	for len(ends) < loadBatch {
		text, err := rows.next(b.text)
		if row, ok := errors.AsType[RowError](err); ok {
			summary.reject(row)
			continue
		}
		if errors.Is(err, io.EOF) {
			ended = true
			break
		}
		if err != nil {
			return false, fmt.Errorf("read audience: %w", err)
		}
		if *skip > 0 {
			*skip--
			continue
		}
		b.text = text
		ends = append(ends, len(text))
	}
	from := 0
	for _, end := range ends {
		b.elements = append(b.elements, b.text[from:end:end])
		from = end
	}
	return ended, nil
}
