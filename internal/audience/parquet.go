package audience

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/parquet-go/parquet-go"
)

// parquetMagic is what a Parquet file begins and ends with.
const parquetMagic = "PAR1"

// errParquet says that a file is Parquet, whatever its name says.
var errParquet = errors.New("it is Parquet")

// RandomReader is a file that can be read at any place, as Parquet needs. A regular *os.File can.
type RandomReader interface {
	io.Reader
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

const (
	// parquetRows is how many rows are decoded at once.
	parquetRows = 256
	// parquetBuffer is the read buffer of each column.
	parquetBuffer = 64 << 10
)

// parquetReader converts the rows of a Parquet file to elements by the names of its columns.
type parquetReader struct {
	groups  []parquet.RowGroup // not begun
	rows    parquet.Rows       // of the current group; nil between groups
	buffer  []parquet.Row
	left    []parquet.Row // of the buffer
	formats []formatValue
	encoder rowEncoder
	row     []string
	at      int
}

func openParquet(s *source, o Options) (Reader, error) {
	file, random := s.Reader.(RandomReader)
	var size int64
	if random {
		info, err := file.Stat()
		if err != nil {
			return nil, fmt.Errorf("read audience: %w", err)
		}
		random, size = info.Mode().IsRegular(), info.Size()
	}
	if !random {
		return nil, &FileError{Problem: "it is Parquet, which is read from its end: name the file, neither compressed nor through a pipe or an upload"}
	}
	if size == 0 {
		return nil, &FileError{Problem: "it is empty, without even the header of Parquet"}
	}
	r := &parquetReader{}
	err := guardParquet(func() error { return r.open(&sourceAt{ReaderAt: file, source: s}, size, o) })
	return r, err
}

func (r *parquetReader) open(at io.ReaderAt, size int64, o Options) error {
	file, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(parquetBuffer))
	if err != nil {
		return fmt.Errorf("it is not Parquet, or cut off: %w", err)
	}
	var names []string
	for _, column := range file.Root().Columns() {
		format, problem := formatOf(column)
		if problem != "" {
			return &FileError{Problem: fmt.Sprintf("its column %s %s", column.Name(), problem)}
		}
		names, r.formats = append(names, column.Name()), append(r.formats, format)
	}
	columns, err := readHeader(names, ',')
	if err != nil {
		return err
	}
	r.encoder = newRowEncoder(columns, o)
	r.groups, r.row = file.RowGroups(), make([]string, len(columns))
	r.buffer = make([]parquet.Row, parquetRows)
	return nil
}

// guardParquet returns the panics that the library has for some broken files as errors.
func guardParquet(do func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("it is broken Parquet: %v", fault)
		}
	}()
	return do()
}

func (r *parquetReader) Line() int { return r.at }

func (r *parquetReader) Hints() []string { return hintsOf(r.encoder.columns) }

func (r *parquetReader) Next(dst []byte) ([]byte, error) {
	if len(r.left) == 0 {
		if err := guardParquet(r.fill); err != nil {
			return dst, err
		}
	}
	row := r.left[0]
	r.left = r.left[1:]
	r.at++
	if len(row) != len(r.row) {
		return dst, fmt.Errorf("row %d has %d values, not one for each of the %d columns", r.at, len(row), len(r.row))
	}
	for i, value := range row {
		r.row[i] = ""
		if !value.IsNull() {
			r.row[i] = r.formats[i](value)
		}
	}
	return r.encoder.encode(dst, r.row, r.at)
}

// fill decodes the next rows. It returns io.EOF after the last group.
func (r *parquetReader) fill() error {
	for {
		if r.rows == nil {
			if len(r.groups) == 0 {
				return io.EOF
			}
			r.rows, r.groups = r.groups[0].Rows(), r.groups[1:]
		}
		n, err := r.rows.ReadRows(r.buffer)
		if errors.Is(err, io.EOF) {
			err = r.rows.Close()
			r.rows = nil
		}
		if err != nil {
			return fmt.Errorf("decode Parquet: %w", err)
		}
		if n > 0 {
			r.left = r.buffer[:n]
			return nil
		}
	}
}

// sourceAt remembers a failed read in its source.
type sourceAt struct {
	io.ReaderAt
	source *source
}

func (s *sourceAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.ReaderAt.ReadAt(p, off)
	s.source.failed = s.source.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// formatOf returns how the values of a column are written. It returns a problem if they are not
// plain values, or cannot be what the column is named for.
func formatOf(column *parquet.Column) (formatValue, string) {
	if !column.Leaf() {
		return nil, "has fields of its own: an audience has plain columns"
	}
	if column.Repeated() {
		return nil, "is a list: an audience has plain columns"
	}
	format, kind := formatOfType(column.Type())
	if format == nil {
		return nil, "has the type " + kind + ", which has no text form: write it as a string"
	}
	wanted := kindOf(column.Name())
	switch {
	case wanted == columnVar, kind == kindText, wanted == columnUser && kind == kindInteger:
		return format, ""
	case wanted == columnUser:
		return nil, "has the type " + kind + ": write it as a string or an integer"
	}
	return nil, "has the type " + kind + ": write it as a string"
}
