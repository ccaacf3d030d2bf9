package audience

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"fanfare/internal/terminal"
)

// column describes a column of a CSV file.
type column struct {
	kind columnKind
	name string // from the header; for a var, its name
}

type columnKind uint8

const (
	columnVar columnKind = iota
	columnUser
	columnToken
	columnLocale
	columnTimeZone
	columnPlatform
	columnFID
	columnTag
	columnQuiet
)

// columnKinds are the columns that are not vars, in lower case and without underscores.
var columnKinds = map[string]columnKind{
	"userid":   columnUser,
	"fcmtoken": columnToken, "token": columnToken,
	"locale":   columnLocale,
	"timezone": columnTimeZone,
	"platform": columnPlatform,
	"fid":      columnFID,
	"tag":      columnTag,

	"quiethours": columnQuiet,
}

// kindOf returns what a column with this name contains.
func kindOf(name string) columnKind {
	return columnKinds[strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), "_", ""))]
}

// readHeader parses the first line. A *FileError says why it cannot.
func readHeader(header []string, separator rune) ([]column, error) {
	columns := make([]column, len(header))
	seen := make(map[column]int)
	users := 0
	for i, name := range header {
		if !utf8.ValidString(name) {
			return nil, &FileError{Problem: fmt.Sprintf("the name of its column %d is not valid UTF-8: save it as UTF-8", i+1)}
		}
		if strings.Contains(name, "\r") {
			return nil, &FileError{Problem: "its lines end in carriage returns alone: save it with line feeds (LF or CRLF)"}
		}
		name = strings.TrimSpace(name)
		kind := kindOf(name)
		columns[i] = column{kind: kind, name: name}
		same := column{kind: kind}
		if kind == columnVar {
			same.name = name
		}
		if first, twice := seen[same]; twice {
			return nil, &FileError{Problem: fmt.Sprintf("its columns %d and %d, %s and %s, are the same", first+1, i+1, terminal.Printable(columns[first].name), terminal.Printable(name))}
		}
		if name == "" {
			return nil, &FileError{Problem: fmt.Sprintf("its column %d has no name in the first line", i+1)}
		}
		seen[same] = i
		if kind == columnUser {
			users++
		}
	}
	if users == 0 {
		return nil, &FileError{Problem: noUserColumn(header, separator)}
	}
	return columns, nil
}

// noUserColumn suggests why there is no column userId.
func noUserColumn(header []string, separator rune) string {
	line := strings.Join(header, string(separator))
	for _, other := range separators {
		if len(header) == 1 && strings.ContainsRune(line, other) {
			return fmt.Sprintf("its columns are separated by %q, not by %q", other, separator)
		}
	}
	const shown = 80
	if len(line) > shown {
		line = strings.ToValidUTF8(line[:shown], "") + "…"
	}
	text := fmt.Sprintf("no column of its first line, %q, is called userId", line)
	for i, name := range header {
		if probableKind(name) == columnUser {
			text += fmt.Sprintf("; column %d, %q, is probably it: call it userId", i+1, strings.TrimSpace(name))
			break
		}
	}
	return text
}

// probableKinds are common names of columns, in lower case and reduced to letters, with what they
// probably contain.
var probableKinds = map[string]columnKind{
	"user": columnUser, "uid": columnUser, "id": columnUser, "customerid": columnUser, "memberid": columnUser, "accountid": columnUser,
	"clientid": columnUser, "externalid": columnUser, "externaluserid": columnUser, "subscriberid": columnUser,
	"fcm": columnToken, "fcmid": columnToken, "regid": columnToken, "registrationid": columnToken, "fcmregistrationid": columnToken, "gcmid": columnToken,
	"installationid": columnFID, "firebaseinstallationid": columnFID,
	"lang": columnLocale, "language": columnLocale, "languagecode": columnLocale,
	"tz": columnTimeZone, "os": columnPlatform, "devicetype": columnPlatform,
}

// probableKind guesses what a column with an unknown name contains.
func probableKind(name string) columnKind {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	if kind, known := columnKinds[letters]; known {
		return kind
	}
	if strings.HasSuffix(letters, "token") || strings.HasSuffix(letters, "tokens") {
		return columnToken
	}
	return probableKinds[letters]
}

// properNames are the names of the columns that are not vars.
var properNames = map[columnKind]string{
	columnUser: "userId", columnToken: "fcmToken", columnLocale: "locale", columnTimeZone: "timeZone", columnPlatform: "platform", columnFID: "fid", columnTag: "tag", columnQuiet: "quietHours",
}

// hintsOf names columns that became vars and probably should not.
func hintsOf(columns []column) []string {
	has := make(map[columnKind]bool)
	for _, c := range columns {
		has[c.kind] = true
	}
	var hints []string
	for i, c := range columns {
		if kind := probableKind(c.name); c.kind == columnVar && kind != columnVar && !has[kind] {
			hints = append(hints, fmt.Sprintf("column %d, %q, only fills the placeholder of its name; it is probably the column %s: call it so",
				i+1, c.name, properNames[kind]))
		}
	}
	return hints
}

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
