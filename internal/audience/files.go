package audience

import (
	"errors"
	"fmt"
	"io"
)

// Source is one of the files of an audience.
type Source struct {
	Name      string
	Format    Format
	Separator rune // of the CSV columns; zero detects it from the first line
	// Open opens the file. It is called twice: before the first element, to check the file, and
	// when its turn comes.
	Open func() (io.ReadCloser, error)
}

// Files reads several files as one audience, in their order.
type Files struct {
	sources []Source // not begun
	opts    Options
	current Reader
	file    io.Closer // that current reads
	name    string    // of that file; empty if it is the only one
	many    bool
	hints   []string
}

// OpenFiles opens an audience of one file or several. It reads the beginning of each, so that a
// file that is no audience is refused before the first element. The format and the separator are
// those of each source.
func OpenFiles(sources []Source, opts Options) (*Files, error) {
	f := &Files{sources: sources, opts: opts, many: len(sources) > 1}
	if f.many {
		for range sources {
			if err := f.begin(); err != nil {
				return nil, errors.Join(err, f.Close())
			}
			f.addHints()
		}
		f.sources = sources
	}
	if err := f.begin(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !f.many {
		f.addHints()
	}
	return f, nil
}

// begin closes the current file and opens the next.
func (f *Files) begin() error {
	if err := f.Close(); err != nil {
		return err
	}
	next := f.sources[0]
	f.sources = f.sources[1:]
	file, err := next.Open()
	if err != nil {
		return err
	}
	f.file, f.name = file, ""
	if f.many {
		f.name = next.Name
	}
	opts := f.opts
	opts.Format, opts.Separator = next.Format, next.Separator
	f.current, err = Open(file, opts)
	return f.explain(err)
}

func (f *Files) addHints() {
	for _, hint := range f.current.Hints() {
		if f.many {
			hint = f.name + ": " + hint
		}
		f.hints = append(f.hints, hint)
	}
}

// Next continues with the next file at the end of one.
func (f *Files) Next(dst []byte) ([]byte, error) {
	for {
		element, err := f.current.Next(dst)
		if !errors.Is(err, io.EOF) || len(f.sources) == 0 {
			return element, f.explain(err)
		}
		if err := f.begin(); err != nil {
			return dst, err
		}
	}
}

// explain adds the name of the file to its errors.
func (f *Files) explain(err error) error {
	if err == nil || f.name == "" || errors.Is(err, io.EOF) {
		return err
	}
	if row, ok := errors.AsType[RowError](err); ok {
		row.File = f.name
		return row
	}
	if file, ok := errors.AsType[*FileError](err); ok {
		return &FileError{File: f.name, Problem: file.Problem, Damaged: file.Damaged}
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

// Line is the line in the current file.
func (f *Files) Line() int { return f.current.Line() }

// File returns the name of the file that Line is in, if several files are read.
func (f *Files) File() string { return f.name }

// Hints returns those of all files.
func (f *Files) Hints() []string { return f.hints }

// Close closes the current file.
func (f *Files) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
