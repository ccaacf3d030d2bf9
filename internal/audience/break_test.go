package audience

import (
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var errBroken = errors.New("connection reset")

// breakingAt is a source that fails after n bytes of a text.
func breakingAt(text string, n int) io.Reader {
	return io.MultiReader(strings.NewReader(text[:n]), iotest.ErrReader(errBroken))
}

// yield is what a source yielded before it ended.
type yield struct {
	rows     []string // elements, and what is said of bad rows
	rejected int
	err      error // io.EOF at a proper end
}

// drain reads a source to its end through one of the room's readers.
func drain(next func() (string, error)) yield {
	var y yield
	for y.err == nil {
		text, err := next()
		switch _, row := errors.AsType[RowError](err); {
		case row:
			y.rows = append(y.rows, err.Error())
			y.rejected++
		case err != nil:
			y.err = err
		default:
			y.rows = append(y.rows, text)
		}
	}
	return y
}

func drainReader(rows Reader, err error) yield {
	if err != nil {
		return yield{err: err}
	}
	return drain(func() (string, error) {
		element, err := rows.Next(nil)
		return string(element), err
	})
}

func readAudience(o Options) func(io.Reader) yield {
	return func(r io.Reader) yield { return drainReader(Open(r, o)) }
}

func readUsers(r io.Reader) yield { return drainReader(OpenUsers(r, 1000)) }

func readExport(s Service) func(io.Reader) yield {
	return func(r io.Reader) yield {
		export, err := OpenExport(r, s)
		if err != nil {
			return yield{err: err}
		}
		return drain(func() (string, error) {
			e, err := export.Next()
			return textOf(e), err
		})
	}
}

// A source that fails is told from one that ends, at whatever byte. It makes no shorter audience,
// no half or bad row, and no error of the file, which reading again would not cure.
func TestBrokenSourcesAreNeitherShortNorBad(t *testing.T) {
	t.Parallel()
	const (
		csvText  = "userId;city\nu1;\"Hue\nVN\"\n\nu2;Hue\n"
		gap      = "  \t\r\n\n  " // longer than what the form is told by
		arrayOf2 = gap + "[ {\"userId\":\"u1\",\"vars\":{\"a\":\"]\\\"\"}} ,\n\t{\"userId\":\"u2\"}\r\n]\n"
		ndjson   = gap + "\n{\"userId\":\"u1\"}\r\n\n{\"userId\":\"u2\"}\n"
		endpoint = `{"ChannelType":"GCM","Address":"a:APA91b","User":{"UserId":"u1"}}` + "\n"
		players  = "identifier,device_type,external_user_id\na:APA91b,1,u1\n\nb:APA91b,1,u2\n"
	)
	long := strings.Repeat("x", 3*readAhead)
	longRow := "userId\n" + strings.Repeat("x", 6*readAhead) + "\nu2\nu3\n"
	for name, c := range map[string]struct {
		text           string
		read           func(io.Reader) yield
		step           int // 1 unless the text is long
		good, rejected int
	}{
		"CSV":                {csvText, readAudience(Options{Format: CSV}), 1, 2, 0},
		"CSV declared":       {"sep=;\n" + csvText, readAudience(Options{Format: CSV}), 1, 2, 0},
		"CSV of a separator": {csvText, readAudience(Options{Format: CSV, Separator: ';'}), 1, 2, 0},
		"UTF-16":             {utf16("\ufeff"+csvText, false), readAudience(Options{Format: CSV}), 1, 2, 0},
		"a long row":         {longRow, readAudience(Options{Format: CSV}), readAhead / 3, 2, 1},
		"NDJSON":             {ndjson, readAudience(Options{Format: NDJSON}), 1, 2, 0},
		"a long line":        {long + ndjson, readAudience(Options{Format: NDJSON}), readAhead / 3, 2, 1},
		"text":               {ndjson, readAudience(Options{}), 1, 2, 0},
		"an array":           {arrayOf2, readAudience(Options{Format: NDJSON}), 1, 2, 0},
		"gzip":               {gzipped(csvText), readAudience(Options{Format: CSV}), 1, 2, 0},
		"zstd":               {zstandard(ndjson), readAudience(Options{Format: NDJSON}), 1, 2, 0},
		"users":              {gap + "\nu1\n\n\"u2\"\n", readUsers, 1, 2, 0},
		"a long user":        {long + "\nu2\nu3\n", readUsers, readAhead / 3, 2, 1},
		"users in CSV":       {csvText, readUsers, 1, 2, 0},
		"users in NDJSON":    {ndjson, readUsers, 1, 2, 0},
		"users in an array":  {arrayOf2, readUsers, 1, 2, 0},
		"Pinpoint":           {gap + "\n" + endpoint + "\n" + endpoint, readExport(Pinpoint), 1, 2, 0},
		"OneSignal":          {players, readExport(OneSignal), 1, 2, 0},
		"OneSignal in gzip":  {gzipped(players), readExport(OneSignal), 1, 2, 0},
	} {
		whole := c.read(strings.NewReader(c.text))
		if len(whole.rows) != c.good+c.rejected || whole.rejected != c.rejected || !errors.Is(whole.err, io.EOF) {
			t.Errorf("%s: the whole text yields %+v, want %d and %d rejected", name, whole, c.good, c.rejected)
			continue
		}
		for n := 0; n <= len(c.text); n += c.step {
			got := c.read(breakingAt(c.text, n))
			_, file := errors.AsType[*FileError](got.err)
			begins := len(got.rows) <= len(whole.rows) && slices.Equal(got.rows, whole.rows[:len(got.rows)])
			if !begins || !errors.Is(got.err, errBroken) || file {
				t.Errorf("%s, broken after %d of %d bytes: %q, then %v, an error of the file: %t", name, n, len(c.text), got.rows, got.err, file)
				break
			}
		}
	}
}

// breakingFile fails after so many reads.
type breakingFile struct {
	*os.File
	left int
}

func (f *breakingFile) ReadAt(p []byte, off int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errBroken
	}
	return f.File.ReadAt(p, off)
}

// Parquet is read in many places, and a read that fails is no error of the file at any of them.
func TestParquetOfABrokenDisk(t *testing.T) {
	t.Parallel()
	name := writeParquet(t, 100, people(300))
	read := func(reads int) yield {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		return drainReader(Open(&breakingFile{file, reads}, Options{Format: Parquet}))
	}
	whole := read(math.MaxInt)
	if len(whole.rows) != 300 || whole.rejected != 0 || !errors.Is(whole.err, io.EOF) {
		t.Fatalf("the whole file yields %d rows, then %v", len(whole.rows), whole.err)
	}
	late := false
	for reads := 0; ; reads++ {
		got := read(reads)
		if errors.Is(got.err, io.EOF) && len(got.rows) == 300 {
			break
		}
		late = late || len(got.rows) > 0
		_, file := errors.AsType[*FileError](got.err)
		if !errors.Is(got.err, errBroken) || file || !slices.Equal(got.rows, whole.rows[:len(got.rows)]) {
			t.Fatalf("broken after %d reads: %d rows, then %v, an error of the file: %t", reads, len(got.rows), got.err, file)
		}
	}
	if !late {
		t.Error("no read failed behind the first rows: this proves little")
	}
}

// A file that cannot be opened ends the audience, whether it is the first or another.
func TestFilesThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	var opened, closed int
	good := openTexts(&opened, &closed, "a.csv", "userId\nu1\n")[0]
	missing := Source{Name: "b.csv", Format: CSV, Open: func() (io.ReadCloser, error) { return nil, errBroken }}
	for _, sources := range [][]Source{{missing}, {missing, good}, {good, missing}} {
		if _, err := OpenFiles(slices.Clone(sources), Options{}); !errors.Is(err, errBroken) {
			t.Errorf("%d files: %v", len(sources), err)
		}
	}
	calls := 0
	later := missing
	later.Open = func() (io.ReadCloser, error) {
		if calls++; calls > 1 {
			return nil, errBroken
		}
		return good.Open()
	}
	files, err := OpenFiles([]Source{good, later}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := drainReader(files, nil); len(got.rows) != 1 || got.rejected != 0 || !errors.Is(got.err, errBroken) {
		t.Errorf("a file that vanishes: %+v", got)
	}
	if opened != closed {
		t.Errorf("%d files were opened and %d closed", opened, closed)
	}
}
