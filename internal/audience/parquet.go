package audience

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/parquet-go/parquet-go"

	"fanfare/internal/notification"
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
	columns []parquetColumn
	encoder rowEncoder
	row     []string // of the current row, without vars
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
		read, problem := columnOf(column)
		if problem != "" {
			return &FileError{Problem: fmt.Sprintf("its column %s %s", column.Name(), problem)}
		}
		names, r.columns = append(names, column.Name()), append(r.columns, read)
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
	recipient, err := r.recipient(row)
	if err != nil {
		return dst, RowError{Line: r.at, Problem: err.Error()}
	}
	return r.encoder.write(dst, recipient, r.at)
}

// recipient reads one row. Its strings and vars are valid until the next one.
func (r *parquetReader) recipient(row parquet.Row) (notification.Recipient, error) {
	for i, value := range row {
		r.row[i] = ""
		if !value.IsNull() && !r.columns[i].isVar {
			r.row[i] = r.columns[i].format(value)
		}
	}
	recipient, err := r.encoder.recipient(r.row)
	if err != nil {
		return recipient, err
	}
	for i, value := range row {
		if value.IsNull() || !r.columns[i].isVar {
			continue
		}
		if err := r.addVar(i, r.columns[i].format(value)); err != nil {
			return recipient, err
		}
	}
	return recipient, nil
}

// addVar adds the value of a column. Numbers and booleans stay what they are; NaN and the
// infinities are no JSON, and become texts. An empty text leaves the var out, as in CSV.
func (r *parquetReader) addVar(i int, text string) error {
	if text == "" {
		return nil
	}
	return r.encoder.addVar(r.encoder.columns[i].name, text, r.columns[i].isJSON && json.Valid([]byte(text)))
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

// parquetColumn is how the values of a column are read.
type parquetColumn struct {
	format        formatValue
	isVar, isJSON bool
}

// columnOf returns how the values of a column are read. It returns a problem if they are not plain
// values, or cannot be what the column is named for.
func columnOf(column *parquet.Column) (parquetColumn, string) {
	if !column.Leaf() {
		return parquetColumn{}, "has fields of its own: an audience has plain columns"
	}
	if column.Repeated() {
		return parquetColumn{}, "is a list: an audience has plain columns"
	}
	format, kind := formatOfType(column.Type())
	if format == nil {
		return parquetColumn{}, "has the type " + kind + ", which has no text form: write it as a string"
	}
	wanted := kindOf(column.Name())
	read := parquetColumn{format, wanted == columnVar, isJSONKind(kind)}
	switch {
	case wanted == columnVar, kind == kindText, wanted == columnUser && kind == kindInteger:
		return read, ""
	case wanted == columnUser:
		return read, "has the type " + kind + ": write it as a string or an integer"
	}
	return read, "has the type " + kind + ": write it as a string"
}
