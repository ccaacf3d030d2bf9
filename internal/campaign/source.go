package campaign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/internal/where"
)

// Source says where the audience of a campaign comes from: files, or the rows of a query. Its
// members are named as the flags of "fanfare load", which alone reads it.
type Source struct {
	Files     []string `json:"files,omitempty"` // absolute paths, in the order of the audience
	Format    string   `json:"format,omitempty"`
	Separator string   `json:"separator,omitempty"` // of CSV: a character, or tab
	Query     string   `json:"query,omitempty"`
	Key       string   `json:"key,omitempty"`   // a column of the query
	Where     string   `json:"where,omitempty"` // a condition of recipients; see room where
}

// maxSource is the longest source in bytes. The longest condition fits.
const maxSource = 64 << 10

// SourceFormats are the formats of files that a source may name; without one, the name of each
// file says it.
var SourceFormats = []string{"csv", "ndjson", "parquet"}

// IsZero reports whether there is no source.
func (s Source) IsZero() bool {
	return len(s.Files) == 0 && s.Format+s.Separator+s.Query+s.Key+s.Where == ""
}

// String writes a source as ParseSource reads it; "" without one. Equal sources are equal texts.
func (s Source) String() string {
	if s.IsZero() {
		return ""
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // a condition has < and &, and people read it
	_ = e.Encode(s)        // texts always marshal
	return strings.TrimSpace(text.String())
}

// digest tells a source from others.
func (s Source) digest() string {
	if s.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(s.String()))
	return hex.EncodeToString(sum[:8])
}

// ReadSource parses a source as it is typed: its files may have relative names. The error text
// follows the word "source".
func ReadSource(text string) (s Source, err error) {
	if len(text) > maxSource {
		return s, fmt.Errorf("has %d bytes, over the limit of %d", len(text), maxSource)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Source{}, explainSource(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Source{}, errors.New("has more after its JSON object")
	}
	return s, s.checkMembers()
}

// explainSource makes an error of the JSON decoder one for people.
func explainSource(err error) error {
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return fmt.Errorf("has the unknown member %s: it may have files, format, separator, query, key and where", name)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return fmt.Errorf("has a member %s that is a JSON %s, want %s", wrong.Field, wrong.Value, map[bool]string{true: "a list of texts", false: "a text"}[wrong.Field == "files"])
	}
	return errors.New(`is no JSON object, such as {"files":["/data/users.csv.gz"]}`)
}

// checkMembers refuses members that make no sense together. The names of files may be relative.
func (s Source) checkMembers() error {
	switch {
	case len(s.Files) > 0 && s.Query != "":
		return errors.New("has files and a query: give one of them")
	case len(s.Files) == 0 && strings.TrimSpace(s.Query) == "":
		return errors.New("has neither files nor a query: give one of them")
	case slices.Contains(s.Files, "") || slices.Contains(s.Files, "-"):
		return errors.New("has a file without a name: standard input cannot be read again")
	case len(s.Files) > 0 && s.Key != "":
		return errors.New("has a key, which is for a query")
	case s.Query != "" && s.Key == "":
		return errors.New("has a query without a key, a column of it that is unique and never NULL")
	case s.Query != "" && s.Format+s.Separator != "":
		return errors.New("has a format or a separator, which are for files")
	case s.Format != "" && !slices.Contains(SourceFormats, s.Format):
		return fmt.Errorf("has the format %s, want one of %s", shorten(s.Format), strings.Join(SourceFormats, ", "))
	case s.Separator != "" && s.Format != "" && s.Format != SourceFormats[0]:
		return fmt.Errorf("has a separator, which is for csv, and the format %s", s.Format)
	}
	if s.Separator == "" {
		return nil
	}
	if _, err := ParseSeparator(s.Separator); err != nil {
		return fmt.Errorf("has a separator that %w", err)
	}
	return nil
}

// ParseSource parses a source as it is stored; "" means none. The error text follows the word
// "source".
func ParseSource(text string) (Source, error) {
	if text == "" {
		return Source{}, nil
	}
	s, err := ReadSource(text)
	if err != nil {
		return Source{}, err
	}
	for _, name := range s.Files {
		if !filepath.IsAbs(name) {
			return Source{}, fmt.Errorf("has the file %s, want an absolute path, because it is read later and elsewhere", shorten(name))
		}
	}
	return s, nil
}

// Validate refuses what no load could read; none is no fault. It also compiles the condition, which
// is not done each time a spec is read. The error text follows the word "source".
func (s Source) Validate() error {
	if s.IsZero() {
		return nil
	}
	if _, err := ParseSource(s.String()); err != nil {
		return err
	}
	if s.Where == "" {
		return nil
	}
	if _, err := where.Compile(s.Where); err != nil {
		return fmt.Errorf("has a where that cannot be used: %w", err)
	}
	return nil
}

// ParseSeparator reads the separator of CSV: a character, or a name for one that is hard to type.
// The error text follows the separator.
func ParseSeparator(text string) (rune, error) {
	if text == "tab" || text == `\t` {
		return '\t', nil
	}
	separator, size := utf8.DecodeRuneInString(text)
	if size != len(text) || separator == utf8.RuneError || strings.ContainsRune("\"\r\n", separator) {
		return 0, errors.New("is not one character, or tab")
	}
	return separator, nil
}
