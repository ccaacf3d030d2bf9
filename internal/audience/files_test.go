package audience

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// openTexts makes sources of texts by name. closed counts the closed files.
func openTexts(opened, closed *int, texts ...string) []Source {
	var all []Source
	for i := 0; i < len(texts); i += 2 {
		all = append(all, Source{Name: texts[i], Format: FormatOf(texts[i]), Open: func() (io.ReadCloser, error) {
			*opened++
			return countedCloser{strings.NewReader(texts[i+1]), closed}, nil
		}})
	}
	return all
}

type countedCloser struct {
	io.Reader
	closed *int
}

func (c countedCloser) Close() error {
	*c.closed++
	return nil
}

// Several files are one audience, in their order. Errors and hints name the file.
func TestFilesAreOneAudience(t *testing.T) {
	t.Parallel()
	var opened, closed int
	files, err := OpenFiles(openTexts(&opened, &closed,
		"a.csv", "userId,city\nu1,Hue\n,Hue\n", "empty.csv", "userId,lang\n", "b.ndjson", `{"userId":"u2"}`+"\n{}\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := transcript(files)
	want := lines(`{"userId":"u1","vars":{"city":"Hue"}}`, "a.csv, line 3: userId is empty", `{"userId":"u2"}`, "b.ndjson, line 2: userId is missing")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if hints := strings.Join(files.Hints(), "|"); !strings.HasPrefix(hints, `empty.csv: column 2, "lang", only fills`) {
		t.Errorf("hints are %s", hints)
	}
	if err := files.Close(); err != nil || opened != closed || opened != 6 {
		t.Errorf("%d files were opened and %d closed, %v", opened, closed, err)
	}
}

// A file that is no audience is refused before the first element, wherever it stands.
func TestABadFileIsRefusedFirst(t *testing.T) {
	t.Parallel()
	var opened, closed int
	_, err := OpenFiles(openTexts(&opened, &closed, "a.csv", "userId\nu1\n", "b.csv", "name\nx\n"), Options{})
	file, is := errors.AsType[*FileError](err)
	if !is || file.File != "b.csv" || !strings.Contains(err.Error(), "audience b.csv: no column") {
		t.Errorf("got %v", err)
	}
	if opened != closed {
		t.Errorf("%d files were opened and %d closed", opened, closed)
	}
}

// A single file is opened once, because it may be a pipe, and its errors do not repeat its name.
func TestASingleFileIsOpenedOnce(t *testing.T) {
	t.Parallel()
	var opened, closed int
	files, err := OpenFiles(openTexts(&opened, &closed, "-", "{}\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.Next(nil); err == nil || err.Error() != "line 1: userId is missing" {
		t.Errorf("got %v", err)
	}
	if _, err := files.Next(nil); !errors.Is(err, io.EOF) || opened != 1 {
		t.Errorf("got %v after %d openings", err, opened)
	}
}
