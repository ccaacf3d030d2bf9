package operator

import (
	"context"
	"errors"
	"fmt"
	"io"

	"fanfare/internal/audience"
)

const (
	// batchRows is the number of recipients in one command. With 1,000, Redis spends most of its
	// time on the elements, and other clients wait about a millisecond at most.
	batchRows = 1000
	// batchBytes limits a batch of long elements.
	batchBytes = 1 << 20
	// maxRowErrors limits the lines that a summary names; the others are counted.
	maxRowErrors = 20
)

// batch is a group of elements on the way from the file to Redis, with the rejected lines between
// them.
type batch struct {
	elements [][]byte
	text     []byte         // backing array of the elements
	ends     []int          // end of each element in text
	place    audience.Place // of the last element
	rejected rejects
	err      error // why there is no next batch: io.EOF or a read error
}

// rejects are the lines that were left out.
type rejects struct {
	count int64
	rows  []audience.RowError // the first ones
}

func (r *rejects) add(rows ...audience.RowError) {
	r.count += int64(len(rows))
	r.rows = append(r.rows, rows[:min(len(rows), maxRowErrors-len(r.rows))]...)
}

// batcher splits an audience into batches, ahead of the sender. Batches are reused after they
// were sent.
type batcher struct {
	rows  audience.Reader
	skip  int64 // recipients still to skip
	out   chan *batch
	spent chan *batch
}

// newBatcher starts to read. It stops at the end of the audience or when the context is
// cancelled. It cannot stop a blocking read, such as from an idle pipe.
func newBatcher(ctx context.Context, rows audience.Reader, skip int64) *batcher {
	r := &batcher{rows: rows, skip: skip, out: make(chan *batch, 2), spent: make(chan *batch, 4)}
	go r.run(ctx)
	return r
}

func (r *batcher) run(ctx context.Context) {
	defer close(r.out)
	for {
		b := r.fill()
		select {
		case r.out <- b:
		case <-ctx.Done():
			return
		}
		if b.err != nil {
			return
		}
	}
}

// fill reads one batch.
func (r *batcher) fill() *batch {
	b := r.emptyBatch()
	for len(b.ends) < batchRows && len(b.text) < batchBytes {
		text, err := r.rows.Next(b.text)
		row, isRow := errors.AsType[audience.RowError](err)
		switch {
		case isRow && r.skip > 0: // reported by the load that this one continues
		case isRow:
			b.rejected.add(row)
		case errors.Is(err, io.EOF):
			b.err = io.EOF
		case err != nil:
			b.err = r.locate(err)
		case r.skip > 0:
			r.skip--
		default:
			b.text = text
			b.ends = append(b.ends, len(text))
			b.place = placeOf(r.rows)
		}
		if b.err != nil {
			break
		}
	}
	from := 0
	for _, end := range b.ends {
		b.elements = append(b.elements, b.text[from:end:end])
		from = end
	}
	return b
}

// locate says behind what an audience broke off.
func (r *batcher) locate(err error) error {
	_, key := errors.AsType[*audience.KeyError](err)
	switch place := placeOf(r.rows); {
	case key:
		return err
	case place.Name != "":
		return fmt.Errorf("after %s: %w", place.Name, err)
	case r.rows.Line() == 0:
		return err
	}
	return fmt.Errorf("after line %d: %w", r.rows.Line(), err)
}

func (r *batcher) emptyBatch() *batch {
	select {
	case b := <-r.spent:
		*b = batch{elements: b.elements[:0], text: b.text[:0], ends: b.ends[:0]}
		return b
	default:
		return &batch{elements: make([][]byte, 0, batchRows), ends: make([]int, 0, batchRows)}
	}
}

// recycle returns a batch for reuse.
func (r *batcher) recycle(b *batch) {
	select {
	case r.spent <- b:
	default:
	}
}
