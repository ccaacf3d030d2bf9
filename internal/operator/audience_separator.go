package operator

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
)

// separators are those that spreadsheets write. Where more than one would do, the first counts.
var separators = []rune{',', ';', '\t', '|'}

// sniffSeparator finds out what separates the columns: with it, the first line names a column of users. Where none does, it is
// what makes the most columns. The line "sep=;" that Excel writes before the first one says it too, and is passed over.
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

// declaredSeparator reads "sep=;".
func declaredSeparator(line []byte) (rune, bool) {
	text := strings.Trim(strings.TrimRight(string(line), "\r\n"), `"`)
	if len(text) != len("sep=;") || !strings.EqualFold(text[:4], "sep=") {
		return 0, false
	}
	return rune(text[4]), slices.Contains(separators, rune(text[4]))
}

// firstLine looks at the first line that is not empty, with its line feeds inside of quotes, as far as it fits into the buffer. No
// more is read than that takes: a pipe may be slow.
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

// lineEnd is where the first line that is not empty ends; -1 where it does not.
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
