package audience

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	// maxWindow is the memory that a zstd file may request; all levels up to --ultra -20 need
	// less.
	maxWindow = 32 << 20
	// maxLayers limits how often a file may be compressed.
	maxLayers = 3
)

// openText returns the text of a file as UTF-8 without a byte order mark. It detects gzip, zstd
// and UTF-16, which spreadsheets call Unicode, by the first bytes. It streams, so memory use does
// not depend on the decompressed size.
func openText(r io.Reader) (io.Reader, error) {
	content, _, err := openLayers(r)
	if err != nil {
		return nil, err
	}
	return decodeText(content)
}

// openLayers returns the content of a file, and whether it is compressed.
func openLayers(r io.Reader) (content *bufio.Reader, compressed bool, err error) {
	content = bufio.NewReaderSize(r, readAhead)
	for range maxLayers {
		plain, err := decompress(content)
		switch {
		case err != nil:
			return nil, compressed, err
		case plain == nil:
			return content, compressed, nil
		}
		content, compressed = bufio.NewReaderSize(plain, readAhead), true
	}
	return nil, compressed, &FileError{Problem: fmt.Sprintf("it is compressed more than %d times", maxLayers-1)}
}

// unread lists formats that are not supported, by their first bytes, with advice.
var unread = []struct{ magic, problem string }{
	{"PK\x03\x04", "it is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV UTF-8"},
	{"\xd0\xcf\x11\xe0", "it is an Excel workbook: save the sheet as CSV UTF-8"},
	{"\xfd7zXZ\x00", "it is compressed with xz: gzip and zstd can be read"},
	{"BZh", "it is compressed with bzip2: gzip and zstd can be read"},
}

// decompress returns a reader of the content of a compressed file; nil if it is not compressed.
func decompress(raw *bufio.Reader) (io.Reader, error) {
	magic, err := raw.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read audience: %w", err)
	}
	for _, other := range unread {
		if bytes.HasPrefix(magic, []byte(other.magic)) {
			return nil, &FileError{Problem: other.problem}
		}
	}
	switch {
	case bytes.HasPrefix(magic, []byte(parquetMagic)):
		return nil, errParquet
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		plain, err := gzip.NewReader(raw)
		if err != nil {
			return nil, fmt.Errorf("it begins as gzip does, and cannot be decompressed: %w", err)
		}
		return &decompressor{plain, "gzip"}, nil
	case bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")), len(magic) >= 4 && magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:4], []byte("\x2a\x4d\x18")):
		plain, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, &FileError{Problem: fmt.Sprintf("it begins as zstd does, and cannot be decompressed: %v", err)}
		}
		return &decompressor{plain, "zstd"}, nil
	}
	return nil, nil
}

// decompressor adds advice to read errors.
type decompressor struct {
	io.Reader
	kind string
}

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("decompress %s: the file is cut off", d.kind)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		err = &FileError{Problem: fmt.Sprintf("it needs more than %d MiB to be decompressed: compress it without --long and --ultra", maxWindow>>20)}
	default:
		err = damage{d.kind, err}
	}
	return n, err
}

// damage is an error of a compressed file that has other bytes than were written, or of its source.
type damage struct {
	kind string
	err  error
}

func (d damage) Error() string {
	return fmt.Sprintf("decompress %s: %v: it is damaged, and what was read of it may be garbled", d.kind, d.err)
}

func (d damage) Unwrap() error { return d.err }

// decodeText skips the byte order mark of UTF-8, and decodes UTF-16 with or without a mark.
func decodeText(raw *bufio.Reader) (io.Reader, error) {
	start, err := raw.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read audience: %w", err)
	}
	utf16 := func(order unicode.Endianness) (io.Reader, error) {
		return transform.NewReader(raw, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), nil
	}
	switch {
	case bytes.Equal(start, []byte("\xff\xfe\x00\x00")), bytes.Equal(start, []byte("\x00\x00\xfe\xff")):
		return nil, &FileError{Problem: "it is UTF-32: save it as UTF-8"}
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = raw.Discard(3) // cannot fail: Peek has just read them
	case bytes.HasPrefix(start, []byte("\xff\xfe")), len(start) == 4 && start[0] != 0 && start[1] == 0 && start[2] != 0 && start[3] == 0:
		return utf16(unicode.LittleEndian)
	case bytes.HasPrefix(start, []byte("\xfe\xff")), len(start) == 4 && start[0] == 0 && start[1] != 0 && start[2] == 0 && start[3] != 0:
		return utf16(unicode.BigEndian)
	}
	return raw, nil
}
