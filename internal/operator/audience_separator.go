package operator

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
)

// separators are those that spreadsheets write, in order of preference.
var separators = []rune{',', ';', '\t', '|'}

// sniffSeparator detects the separator of the columns: the first that makes one of them a user
// column. If none does, it is the one that makes the most columns. The line "sep=;" that Excel
// writes first decides too, and is skipped.
func sniffSeparator(text *bufio.Reader) (separator rune, passed int) {
	line := firstLine(text)
	if declared, ok := declaredSeparator(line); ok {
		_, _ = text.Discard(len(line)) // cannot fail: it is in the buffer
		return declared, 1
	}
	separator, most := separators[0], 1
	for _, candidate := range separators {
		header, err := splitLine(line, candidate)
		if err != nil {
			continue
		}
		if slices.ContainsFunc(header, func(name string) bool { return kindOf(name) == columnUser }) {
			return candidate, 0
		}
		if len(header) > most {
			separator, most = candidate, len(header)
		}
	}
	return separator, 0
}

func splitLine(line []byte, separator rune) ([]string, error) {
	rows := csv.NewReader(bytes.NewReader(line))
	rows.Comma = separator
	return rows.Read()
}

// declaredSeparator parses "sep=;".
func declaredSeparator(line []byte) (rune, bool) {
	text := strings.Trim(strings.TrimRight(string(line), "\r\n"), `"`)
	if len(text) != len("sep=;") || !strings.EqualFold(text[:4], "sep=") {
		return 0, false
	}
	return rune(text[4]), slices.Contains(separators, rune(text[4]))
}

// firstLine peeks at the first line that is not empty, including line feeds inside quotes, as far
// as it fits the buffer. It reads no more than needed, because a pipe may be slow.
func firstLine(text *bufio.Reader) []byte {
	for n := 1; ; {
		seen, err := text.Peek(n)
		if end := lineEnd(seen); end >= 0 {
			return seen[:end+1]
		}
		if err != nil || n == text.Size() {
			return seen
		}
		n = min(max(n+1, text.Buffered()), text.Size())
	}
}

// lineEnd returns the end of the first line that is not empty; -1 if it has none.
func lineEnd(text []byte) int {
	quoted, empty := false, true
	for i, c := range text {
		switch {
		case c == '"':
			quoted, empty = !quoted, false
		case c == '\n' && !quoted && !empty:
			return i
		case c != '\n' && c != '\r':
			empty = false
		}
	}
	return -1
}
