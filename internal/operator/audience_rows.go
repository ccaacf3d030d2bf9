package operator

import (
	"bytes"
	"errors"
	"io"
	"math"
)

// maxRow bounds one row, so that a quote which is never closed does not take the whole file into memory.
const maxRow = 1 << 20

// unbounded is for a file that is not read in rows.
const unbounded = math.MaxInt

var errRowTooLong = errors.New("row too long")

// rowReader reads on for as long as the row at hand may be, and knows where it is.
type rowReader struct {
	r     io.Reader
	left  int
	lines int // that have ended so far
	width int // of the line that has not, in bytes
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
