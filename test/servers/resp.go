package servers

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// frame is one command or reply of RESP2 or RESP3: its bytes and, for an array of bulk strings, its
// words.
type frame struct {
	raw   []byte
	words []string
	push  bool // an out-of-band message, which is no reply to a command
}

func readFrame(r *bufio.Reader) (frame, error) {
	var f frame
	err := f.read(r, true)
	return f, err
}

// read appends one value with everything nested in it.
func (f *frame) read(r *bufio.Reader, outermost bool) error {
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	f.raw = append(f.raw, line...)
	head := strings.TrimRight(line, "\r\n")
	if head == "" {
		return fmt.Errorf("empty line where a RESP value begins")
	}
	switch kind := head[0]; kind {
	case '+', '-', ':', '_', '#', ',', '(':
		return nil
	case '$', '=', '!':
		return f.readBulk(r, head[1:])
	case '*', '~', '>', '%', '|':
		f.push = f.push || outermost && kind == '>'
		n, err := strconv.Atoi(head[1:])
		if err != nil {
			return fmt.Errorf("length %q of a RESP value: %w", head, err)
		}
		if kind == '%' || kind == '|' {
			n *= 2
		}
		for range max(n, 0) {
			if err := f.read(r, false); err != nil {
				return err
			}
		}
		if kind == '|' { // attributes come before the value that they describe
			return f.read(r, outermost)
		}
		return nil
	default:
		return fmt.Errorf("RESP value of unknown kind %q", kind)
	}
}

func (f *frame) readBulk(r *bufio.Reader, length string) error {
	n, err := strconv.Atoi(length)
	if err != nil {
		return fmt.Errorf("length %q of a RESP string: %w", length, err)
	}
	if n < 0 {
		return nil
	}
	start := len(f.raw)
	f.raw = append(f.raw, make([]byte, n+2)...)
	if _, err := io.ReadFull(r, f.raw[start:]); err != nil {
		return err
	}
	f.words = append(f.words, string(f.raw[start:start+n]))
	return nil
}
