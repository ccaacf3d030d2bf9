package audience

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	stdutf16 "unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func lines(all ...string) string { return strings.Join(all, "\n") }

// transcript is what a reader yields, one a line: elements, and errors in their place. It ends with
// the audience, or at a key that is not unique.
func transcript(rows Reader) string {
	var got []string
	for {
		element, err := rows.Next(nil)
		if errors.Is(err, io.EOF) {
			return strings.Join(got, "\n")
		} else if err != nil {
			element = []byte(err.Error())
		}
		got = append(got, string(element))
		if _, twice := errors.AsType[*KeyError](err); twice {
			return strings.Join(got, "\n")
		}
	}
}

func utf16(text string, big bool) string {
	var order binary.AppendByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	var out []byte
	for _, unit := range stdutf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

func gzipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, text) // a buffer never fails
	_ = w.Close()
	return out.String()
}

func zstandard(text string) string {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // the options are constant
	}
	defer w.Close()
	return string(w.EncodeAll([]byte(text), nil))
}

func TestFormatsByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Format{
		"a.csv": CSV, "A.CSV": CSV, "a.tsv": CSV, "a.tab": CSV, "a.csv.gz": CSV, "a.CSV.ZST": CSV, "a.txt": Sniffed, "a.txt.zstd": Sniffed,
		"a.json": NDJSON, "a.ndjson.gz": NDJSON, "a": NDJSON, "-": NDJSON, "a.gz": NDJSON,
	} {
		if got := FormatOf(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestColumnsThatProbablyHoldSomethingElse(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"UserID,FCM Token,city":    `column 2, "FCM Token", only fills the placeholder of its name; it is probably the column fcmToken: call it so`,
		"userId;Push-Token":        `column 2, "Push-Token", only fills`,
		"userId\tdevice_token":     `column 2, "device_token", only fills`,
		"userId,Time Zone":         "probably the column timeZone",
		"userId,OS,Language":       `column 2, "OS", only fills the placeholder of its name; it is probably the column platform: call it so|column 3, "Language"`,
		"userId,token,FCM Token":   "",
		"userId,city,first name":   "",
		"userId,tokenised,lastuse": "",
	} {
		rows, err := Open(strings.NewReader(header+"\n"), Options{Format: CSV})
		if err != nil {
			t.Errorf("%s: %v", header, err)
			continue
		}
		got := strings.Join(rows.Hints(), "|")
		if !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: got %s, want %s", header, got, want)
		}
	}
}

// A given separator is used, whatever the first line looks like.
func TestSeparatorIsGiven(t *testing.T) {
	t.Parallel()
	_, err := Open(strings.NewReader("userId;city,userId^city\nu1;a,u2^b"), Options{Format: CSV, Separator: '^'})
	if err == nil || !strings.Contains(err.Error(), `no column of its first line, "userId;city,userId^city"`) {
		t.Errorf("got %v", err)
	}
	rows, err := Open(strings.NewReader("userId^a,b;c\nu1^x,y;z"), Options{Format: CSV, Separator: '^'})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := rows.Next(nil); string(got) != `{"userId":"u1","vars":{"a,b;c":"x,y;z"}}` || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// A file that breaks in the middle yields what comes before, then an error that says where and
// why.
func TestFilesThatBreak(t *testing.T) {
	t.Parallel()
	// The beginning must compress badly, so that it is readable before the end is missed.
	var rows strings.Builder
	for i := range uint32(40_000) {
		rows.WriteString("u" + strings.Repeat(string(rune('a'+i*2654435761>>28)), int(1+i*2246822519>>29)) + "\n")
	}
	whole := gzipped("userId\n" + rows.String())
	for name, c := range map[string]struct{ text, want string }{
		"gzip cut off":         {whole[:len(whole)/2], "decompress gzip: the file is cut off"},
		"gzip with a fault":    {whole[:len(whole)-8] + strings.Repeat("\x00", 8), "decompress gzip: "},
		"an array not closed":  {`[{"userId":"u1"},`, "the JSON array is not closed"},
		"an element not ended": {`[{"userId":"u1"},{"userId":`, "element 2 of the JSON array does not end"},
		"no comma":             {`[{"userId":"u1"} {"userId":"u2"}]`, "there is no comma after element 1"},
		"two commas":           {`[{"userId":"u1"},,{"userId":"u2"}]`, `there is ',' instead of an element after element 1`},
		"a brace":              {`[{"userId":"u1"},}`, `there is '}' instead of an element after element 1`},
		"a brace, no comma":    {`[{"userId":"u1"}}`, "there is no comma after element 1"},
		"a second array":       {`[{"userId":"u1"}]` + "\n" + `[{"userId":"u2"}]`, "the file continues after the end of the JSON array"},
	} {
		format := NDJSON
		if strings.HasPrefix(name, "gzip") {
			format = CSV
		}
		elements, rejected, err := readAll(strings.NewReader(c.text), format)
		if len(elements) == 0 || len(rejected) > 0 || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d elements, rejected %v, error %v, want %q", name, len(elements), rejected, err, c.want)
		}
		if _, file := errors.AsType[*FileError](err); !file {
			t.Errorf("%s: %v is not taken for an error of the file", name, err)
		}
	}
	_, _, err := readAll(io.MultiReader(strings.NewReader(whole[:len(whole)/2]), iotest.ErrReader(io.ErrUnexpectedEOF)), CSV)
	if _, file := errors.AsType[*FileError](err); file || err == nil {
		t.Errorf("a disk that fails is taken for an error of the file: %v", err)
	}
}

// However large the content of a small file is, only one element is kept in memory.
func TestBombsTakeNoMemory(t *testing.T) {
	zeros := func(prefix, suffix string) io.Reader {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = io.WriteString(w, prefix)
		chunk := bytes.Repeat([]byte("0"), 1<<20)
		for range 96 {
			_, _ = w.Write(chunk)
		}
		_, _ = io.WriteString(w, suffix)
		_ = w.Close()
		return &out
	}
	for name, c := range map[string]struct {
		format         Format
		prefix, suffix string
	}{
		"a line of NDJSON": {NDJSON, `{"userId":"`, "\"}\n{\"userId\":\"u2\"}"},
		"an element":       {NDJSON, `[{"userId":"`, `"},{"userId":"u2"}]`},
		"a row of CSV":     {CSV, "userId\n", "\nu2"},
	} {
		file := zeros(c.prefix, c.suffix)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		elements, rejected, err := readAll(file, c.format)
		runtime.ReadMemStats(&after)
		if !slices.Equal(elements, []string{`{"userId":"u2"}`}) || len(rejected) != 1 || err != nil {
			t.Errorf("%s: elements %.100q, rejected %v, error %v", name, elements, rejected, err)
		}
		if taken := (after.TotalAlloc - before.TotalAlloc) >> 20; taken > 32 {
			t.Errorf("%s: %d MiB were allocated for 96 MiB", name, taken)
		}
	}
}

// UTF-16 that is cut within a character, or has half of one, does not end as another user.
func TestHalfACharacterIsNoUser(t *testing.T) {
	t.Parallel()
	whole := utf16("\ufeffcity,userId\nx,user1\ny,user2", false)
	for name, text := range map[string]string{
		"a cut":             whole[:len(whole)-1],
		"half a surrogate":  utf16("\ufeffcity,userId\nx,user1\ny,", false) + "\x3d\xd8",
		"an earlier repair": "city,userId\nx,user1\ny,user\ufffd",
	} {
		elements, rejected, err := readAll(strings.NewReader(text), CSV)
		if len(elements) != 1 || len(rejected) != 1 || !strings.Contains(rejected[0].Problem, "U+FFFD") || err != nil {
			t.Errorf("%s: elements %q, rejected %v, error %v", name, elements, rejected, err)
		}
	}
}
