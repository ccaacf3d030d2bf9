package main

import (
	"strings"
	"time"
	"unicode/utf8"
)

// cell is one character of the screen.
type cell struct {
	char rune
	bold bool
}

// frame is one row of the screen for as long as it looked the same.
type frame struct {
	row      int
	from, to time.Duration // to is 0 where the row stays as it is
	cells    []cell
}

// screen understands what Fanfare prints: line feeds, carriage returns, bold, and "erase to the end
// of the line".
type screen struct {
	frames []frame
	row    int
	col    int
	line   []cell
	bold   bool
	now    time.Duration
}

// play returns the frames of all rows, in the order in which they appeared.
func play(chunks []chunk) []frame {
	s := &screen{}
	var rest string
	for _, c := range chunks {
		s.now = c.at
		rest = s.write(rest + string(c.text))
		s.show()
	}
	return s.frames
}

// write returns what it needs more bytes for.
func (s *screen) write(text string) (rest string) {
	for text != "" {
		char, size := utf8.DecodeRuneInString(text)
		switch {
		case char == utf8.RuneError && !utf8.FullRuneInString(text):
			return text
		case char == '\n':
			s.show()
			s.row++
			s.line = nil
		case char == '\r':
			s.col = 0
		case char == '\x1b':
			end := strings.IndexAny(text[1:], "mK")
			if end < 0 {
				return text
			}
			size = end + 2
			s.control(text[1:size])
		default:
			s.put(char)
		}
		text = text[size:]
	}
	return ""
}

func (s *screen) control(sequence string) {
	switch sequence {
	case "[1m":
		s.bold = true
	case "[m", "[0m":
		s.bold = false
	case "[K":
		s.line = s.line[:min(s.col, len(s.line))]
	}
}

func (s *screen) put(char rune) {
	for len(s.line) <= s.col {
		s.line = append(s.line, cell{char: ' '})
	}
	s.line[s.col] = cell{char: char, bold: s.bold}
	s.col++
}

// show ends the row's last frame and begins the next one, if the row has changed.
func (s *screen) show() {
	last := -1
	for i, f := range s.frames {
		if f.row == s.row {
			last = i
		}
	}
	if last >= 0 {
		if equal(s.frames[last].cells, s.line) {
			return
		}
		s.frames[last].to = s.now
	}
	if last >= 0 || len(s.line) > 0 {
		s.frames = append(s.frames, frame{row: s.row, from: s.now, cells: append([]cell(nil), s.line...)})
	}
}

func equal(a, b []cell) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
