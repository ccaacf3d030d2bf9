package fcmsim

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep Google's front end lets objects and lists nest.
const maxDepth = 100

// scanner reads JSON in place. encoding/json would lose the order of members, which Google's error
// messages refer to ("message.data[0].value"). It also costs more (BenchmarkResponses).
type scanner struct {
	data  []byte
	pos   int
	keyAt int // start of the member whose value is read next
}

// syntaxError is reported as Google's front end does: the problem, the text around it, and a caret
// under the place.
type syntaxError struct {
	problem string
	at      int
}

func (s *scanner) fail(problem string) *syntaxError {
	if s.pos >= len(s.data) {
		problem = "Unexpected end of string. " + problem
	}
	return &syntaxError{problem, s.pos}
}

func (e *syntaxError) describe(data []byte) string {
	const context = 20
	from, to := max(e.at-context, 0), min(e.at+context, len(data))
	around := strings.ToValidUTF8(string(data[from:to]), "�")
	return "Invalid JSON payload received. " + e.problem + "\n" + around + "\n" + strings.Repeat(" ", e.at-from) + "^"
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// readText reads a string and returns it unescaped. Without escapes, the result shares the data.
func (s *scanner) readText() ([]byte, *syntaxError) {
	start := s.pos
	s.pos++
	escaped := false
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.unescape(start, escaped)
		case c == '\\':
			escaped = true
			s.pos += 2
		case c < ' ':
			return nil, s.fail("Unexpected control character in string.")
		default:
			s.pos++
		}
	}
	s.pos = len(s.data)
	return nil, s.fail("Closing quote expected in string.")
}

func (s *scanner) unescape(start int, escaped bool) ([]byte, *syntaxError) {
	raw := s.data[start:s.pos]
	if !utf8.Valid(raw) {
		return nil, &syntaxError{"Encountered non UTF-8 code points.", start}
	}
	if !escaped {
		return raw[1 : len(raw)-1], nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil, &syntaxError{"Invalid escape sequence.", start}
	}
	return []byte(text), nil
}

// readScalar reads a number, true, false or null and returns it as written.
func (s *scanner) readScalar() ([]byte, *syntaxError) {
	start := s.pos
	for s.pos < len(s.data) && isScalarByte(s.data[s.pos]) {
		s.pos++
	}
	raw := s.data[start:s.pos]
	if len(raw) == 0 {
		return nil, s.fail("Expected a value.")
	}
	if !json.Valid(raw) {
		return nil, &syntaxError{"Unexpected token.", start}
	}
	return raw, nil
}

func isScalarByte(c byte) bool {
	return c == '-' || c == '+' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// skip reads any value and checks its syntax.
func (s *scanner) skip(depth int) *syntaxError {
	switch s.peek() {
	case '"':
		_, err := s.readText()
		return err
	case '{':
		return s.readMembers(depth, func([]byte) *syntaxError { return s.skip(depth + 1) })
	case '[':
		return s.readElements(depth, func(int) *syntaxError { return s.skip(depth + 1) })
	default:
		_, err := s.readScalar()
		return err
	}
}

// readMembers calls each with the key of every member of an object, before its value is read.
func (s *scanner) readMembers(depth int, each func(key []byte) *syntaxError) *syntaxError {
	if depth >= maxDepth {
		return s.fail("Message too deep. Max recursion depth reached.")
	}
	s.pos++
	if s.take('}') {
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.fail("Expected an object key or }.")
		}
		s.keyAt = s.pos
		key, err := s.readText()
		if err != nil {
			return err
		}
		if !s.take(':') {
			return s.fail("Expected : between key:value pair.")
		}
		s.peek()
		if err := each(key); err != nil {
			return err
		}
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return s.fail("Expected , or } after key:value pair.")
		}
	}
}

// readElements calls each with the index of every element of a list, before it is read.
func (s *scanner) readElements(depth int, each func(i int) *syntaxError) *syntaxError {
	if depth >= maxDepth {
		return s.fail("Message too deep. Max recursion depth reached.")
	}
	s.pos++
	if s.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		s.peek()
		if err := each(i); err != nil {
			return err
		}
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return s.fail("Expected , or ] after array value.")
		}
	}
}
