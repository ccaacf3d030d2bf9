package audience

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// OpenUsers reads the beginning of a file of users: an audience, or lines with a user id each. It
// is CSV if its first line names a column userId, or names several columns. A *FileError means that
// this is not such a file.
func OpenUsers(r io.Reader, limit int) (Reader, error) {
	source := &source{Reader: r}
	rows, err := openUsers(source, limit)
	if err != nil {
		return nil, source.explain(err)
	}
	return &sourcedReader{rows, source}, nil
}

func openUsers(r io.Reader, limit int) (Reader, error) {
	plain, err := openText(r)
	if err != nil {
		return nil, err
	}
	source, text, first, err := beginRows(plain, limit)
	switch {
	case err != nil:
		return nil, err
	case first == '[':
		return newArray(text, limit), nil
	case first == '{':
		return &ndjsonReader{lines: text, limit: limit}, nil
	case namesColumns(firstLine(text)):
		return newCSV(source, text, Options{MaxElement: limit})
	}
	return &userReader{lines: text}, nil
}

// columnSeparators are the separators that no user id is expected to have. Ids such as auth0|7
// exist.
const columnSeparators = ",;\t"

// namesColumns reports whether a first line is the header of a CSV file, or could be one without a
// proper name for the users. The name of a column has no digits, which an id such as user-7 has.
func namesColumns(line []byte) bool {
	text := string(bytes.TrimSpace(line))
	if strings.ContainsAny(text, columnSeparators) {
		return true
	}
	return !strings.ContainsFunc(text, unicode.IsDigit) && probableKind(strings.Trim(text, `"`)) == columnUser
}

// userReader yields a recipient for the user id on each line.
type userReader struct {
	lines *bufio.Reader
	at    int
}

func (a *userReader) Line() int { return a.at }

func (a *userReader) Hints() []string { return nil }

func (a *userReader) Next(dst []byte) ([]byte, error) {
	for {
		text, err := a.lines.ReadSlice('\n')
		if len(text) == 0 && err != nil {
			return dst, err
		}
		a.at++
		if errors.Is(err, bufio.ErrBufferFull) {
			return dst, a.skipLine()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return dst, err
		}
		id := string(bytes.Trim(bytes.TrimSpace(text), `"`))
		if id == "" {
			continue
		}
		if err := checkListedID(id); err != nil {
			return dst, RowError{Line: a.at, Problem: err.Error()}
		}
		return campaign.EncodeRecipient(dst, notification.Recipient{UserID: id}), nil
	}
}

// skipLine skips the rest of a line that does not fit into the buffer.
func (a *userReader) skipLine() error {
	for {
		_, err := a.lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return err
		default:
			return RowError{Line: a.at, Problem: fmt.Sprintf("userId is longer than %d bytes", campaign.MaxUserID)}
		}
	}
}

func checkListedID(id string) error {
	switch {
	case !utf8.ValidString(id):
		return errors.New("userId is not valid UTF-8")
	case strings.ContainsAny(id, columnSeparators):
		return errors.New("holds several columns: name them in the first line, and that of the users userId")
	}
	return checkUserID(id)
}
