package operator

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// column is what a CSV file's column holds.
type column struct {
	kind columnKind
	name string // as the header has it: of a var, its name
}

type columnKind uint8

const (
	columnVar columnKind = iota
	columnUser
	columnToken
	columnLocale
	columnTimeZone
	columnPlatform
)

// columnKinds are the columns that are no vars, in lower case and without underscores.
var columnKinds = map[string]columnKind{
	"userid":   columnUser,
	"fcmtoken": columnToken, "token": columnToken,
	"locale":   columnLocale,
	"timezone": columnTimeZone,
	"platform": columnPlatform,
}

// readHeader understands the first line. A *FileError says why not.
func readHeader(header []string) ([]column, error) {
	columns := make([]column, len(header))
	seen := make(map[column]int)
	users := 0
	for i, name := range header {
		if !utf8.ValidString(name) {
			return nil, &FileError{fmt.Sprintf("the name of its column %d is not valid UTF-8: save it as UTF-8", i+1)}
		}
		if strings.Contains(name, "\r") {
			return nil, &FileError{"its lines end in carriage returns alone: save it with line feeds (LF or CRLF)"}
		}
		name = strings.TrimSpace(name)
		kind := columnKinds[strings.ToLower(strings.ReplaceAll(name, "_", ""))]
		columns[i] = column{kind: kind, name: name}
		same := column{kind: kind}
		if kind == columnVar {
			same.name = name
		}
		if first, twice := seen[same]; twice {
			return nil, &FileError{fmt.Sprintf("its columns %d and %d, %s and %s, are the same", first+1, i+1, columns[first].name, name)}
		}
		if name == "" {
			return nil, &FileError{fmt.Sprintf("its column %d has no name in the first line", i+1)}
		}
		seen[same] = i
		if kind == columnUser {
			users++
		}
	}
	if users == 0 {
		return nil, &FileError{noUserColumn(header)}
	}
	return columns, nil
}

// noUserColumn guesses why there is no column userId.
func noUserColumn(header []string) string {
	line := strings.Join(header, ",")
	for _, separator := range []string{";", "\t", "|"} {
		if len(header) == 1 && strings.Contains(line, separator) {
			return fmt.Sprintf("its columns are separated by %q: separate them by commas", separator)
		}
	}
	const shown = 80
	if len(line) > shown {
		line = line[:shown] + "…"
	}
	return fmt.Sprintf("no column of its first line, %q, is called userId", line)
}
