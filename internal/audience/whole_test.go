package audience

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// sourceOf is a regular file with a text.
func sourceOf(t *testing.T, name, text string) Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Source{Name: name, Format: FormatOf(name), Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// manyRows are so many that a load would push batches before it sees the end.
var manyRows = "userId\n" + strings.Repeat("a-user-of-an-audience\n", 200_000)

// damaged changes a byte of a checksum, so that only the end of the file shows it.
func damaged(whole string) string {
	changed := []byte(whole)
	changed[len(changed)-6] ^= 1
	return string(changed)
}

// A compressed file whose checksum fails is refused before its first recipient.
func TestDamagedFilesAreRefusedFirst(t *testing.T) {
	t.Parallel()
	zip := gzipped(manyRows)
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed, zstd.WithEncoderCRC(true))
	if err == nil {
		_, err = io.WriteString(w, manyRows)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	zst := packed.String()
	badZst := zst[:len(zst)-1] + string(zst[len(zst)-1]^1)
	for name, c := range map[string]struct{ text, want string }{
		"whole.csv.gz":  {zip, ""},
		"whole.csv.zst": {zst, ""},
		"plain.csv":     {manyRows, ""},
		"none.csv":      {"", ""},
		"other.csv":     {"PK\x03\x04 a workbook", ""}, // OpenFiles refuses it
		"sum.csv.gz":    {damaged(zip), "decompress gzip: gzip: invalid checksum: it is damaged"},
		"sum.csv.zst":   {badZst, "it is damaged"},
		"cut.csv.gz":    {zip[:len(zip)/2], "decompress gzip: the file is cut off"},
		"inner.csv.gz":  {gzipped(damaged(zip)), "decompress gzip: gzip: invalid checksum"},
	} {
		err := CheckWhole(t.Context(), []Source{sourceOf(t, name, c.text)})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, file := errors.AsType[*FileError](err); err != nil && !file {
			t.Errorf("%s: %v is not taken for an error of the file", name, err)
		}
	}
	err = CheckWhole(t.Context(), []Source{sourceOf(t, "first.csv.gz", zip), sourceOf(t, "second.csv.gz", damaged(zip))})
	if file, ok := errors.AsType[*FileError](err); !ok || file.File != "second.csv.gz" {
		t.Errorf("of two files: %v, want the second named", err)
	}
}

// A pipe is read once, so its damage shows at the end, and the error says what that means.
func TestDamagedPipesSaySo(t *testing.T) {
	t.Parallel()
	text := damaged(gzipped(manyRows))
	pipe := Source{Name: "pipe", Format: CSV, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
	if err := CheckWhole(t.Context(), []Source{pipe}); err != nil {
		t.Errorf("a pipe is refused: %v", err)
	}
	_, _, err := readAll(strings.NewReader(text), CSV)
	if file, ok := errors.AsType[*FileError](err); !ok || !file.Damaged || !strings.Contains(file.Problem, "may be garbled") {
		t.Errorf("a damaged pipe ends with %v", err)
	}
	_, _, err = readAll(strings.NewReader(text[:len(text)/2]), CSV)
	if file, ok := errors.AsType[*FileError](err); !ok || file.Damaged {
		t.Errorf("what was cut off ends with %v, and what came before is whole", err)
	}
}

// A check of a long file ends with its caller.
func TestCheckOfALongFileEnds(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancelCause(t.Context())
	reason := errors.New("interrupted")
	stop(reason)
	if err := CheckWhole(ctx, []Source{sourceOf(t, "whole.csv.gz", gzipped(manyRows))}); !errors.Is(err, reason) {
		t.Errorf("the check ended with %v", err)
	}
}
