package operator

import (
	"bytes"
	"errors"
	"io"
	"math"
)

// maxRow limits one row, so that a quote that is never closed does not read the whole file into
// memory.
const maxRow = 1 << 20

// unbounded is used for files that are not read in rows.
const unbounded = math.MaxInt

var errRowTooLong = errors.New("row too long")

// rowReader limits how much is read for the current row, and tracks the position.
type rowReader struct {
	r     io.Reader
	left  int
	lines int // complete lines so far
	width int // bytes of the incomplete line
}

func (b *rowReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := b.r.Read(p)
	if b.left != unbounded {
		b.left -= n
	}
	if last := bytes.LastIndexByte(p[:n], '\n'); last >= 0 {
		b.lines += bytes.Count(p[:last+1], []byte{'\n'})
		b.width = n - last - 1
	} else {
		b.width += n
	}
	return n, err
}
