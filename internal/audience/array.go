package audience

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// arrayReader yields the elements of a JSON array, without white space. It keeps one element in
// memory. A fault between elements belongs to no recipient, and ends the file.
type arrayReader struct {
	text   *bufio.Reader
	limit  int
	at     int // the line where the current element began
	lines  int // line ends read so far
	count  int // elements begun
	value  []byte
	length int // of the element as written; bytes beyond the limit are not kept
	packed bytes.Buffer
}

func newArray(text *bufio.Reader, limit int) *arrayReader {
	return &arrayReader{text: text, limit: limit, at: 1}
}

func (a *arrayReader) Line() int { return a.at }

func (a *arrayReader) Hints() []string { return nil }

func (a *arrayReader) Next(dst []byte) ([]byte, error) {
	if err := a.begin(); err != nil {
		return dst, err
	}
	a.count++
	a.at = a.lines + 1
	if err := a.readValue(); err != nil {
		return dst, err
	}
	if a.length > len(a.value) {
		return dst, a.rowError(fmt.Sprintf("is %d bytes long, over the limit of %d (queue.max_element)", a.length, a.limit))
	}
	if problem := ElementProblem(a.value); problem != "" {
		return dst, a.rowError(problem)
	}
	a.packed.Reset()
	if err := json.Compact(&a.packed, a.value); err != nil {
		return dst, a.rowError("is not JSON: " + err.Error())
	}
	if err := checkSize(a.packed.Bytes(), a.limit, a.at); err != nil {
		return dst, err
	}
	return append(dst, a.packed.Bytes()...), nil
}

func (a *arrayReader) rowError(problem string) error {
	return RowError{Line: a.at, Problem: fmt.Sprintf("element %d: %s", a.count, problem)}
}

// begin skips what precedes an element. It returns io.EOF after the end of the array.
func (a *arrayReader) begin() error {
	c, err := a.skipSpace()
	if a.count == 0 && err == nil { // the bracket that identified the format
		_, _ = a.text.ReadByte()
		c, err = a.skipSpace()
	} else if err == nil && c == ',' {
		_, _ = a.text.ReadByte()
		c, err = a.skipSpace()
	} else if err == nil && c != ']' {
		return fmt.Errorf("there is no comma after element %d of the JSON array", a.count)
	}
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the JSON array is not closed: the file is cut off")
	case err != nil:
		return err
	case c == ',' || c == '}':
		return fmt.Errorf("there is %q instead of an element after element %d of the JSON array", c, a.count)
	case c != ']':
		return nil
	}
	_, _ = a.text.ReadByte()
	if _, err := a.skipSpace(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("the file continues after the end of the JSON array"), err)
	}
	return io.EOF
}

// skipSpace skips white space and returns the next character without consuming it.
func (a *arrayReader) skipSpace() (byte, error) {
	for {
		c, err := a.text.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case c == '\n':
			a.lines++
		case c != ' ' && c != '\t' && c != '\r':
			return c, a.text.UnreadByte()
		}
	}
}

// readValue reads to the end of a value, without validating it.
func (a *arrayReader) readValue() error {
	a.value, a.length = a.value[:0], 0
	depth, quoted, escaped := 0, false, false
	for {
		c, err := a.text.ReadByte()
		if err != nil && errors.Is(err, io.EOF) {
			return fmt.Errorf("element %d of the JSON array does not end: the file is cut off", a.count)
		} else if err != nil {
			return err
		}
		if depth == 0 && !quoted && (c == ',' || c == ']' || c == '}' || c <= ' ') {
			return a.text.UnreadByte()
		}
		a.keep(c)
		switch {
		case quoted:
			quoted = escaped || c != '"'
			escaped = !escaped && c == '\\'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 && !quoted && (c == '}' || c == ']' || c == '"') {
			return nil
		}
	}
}

// keep stores a byte, up to the limit of an element plus twice as much for white space.
func (a *arrayReader) keep(c byte) {
	if c == '\n' {
		a.lines++
	}
	if a.length++; len(a.value) < max(readAhead, 3*a.limit) && len(a.value) == a.length-1 {
		a.value = append(a.value, c)
	}
}
