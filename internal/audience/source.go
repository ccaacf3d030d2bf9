package audience

import (
	"errors"
	"io"
)

// source is where an audience is read from. It remembers whether reading failed: if not, an error
// is the file's, and reading it again does not help.
type source struct {
	io.Reader
	failed bool
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.failed = s.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// explain returns an error of the content as a *FileError.
func (s *source) explain(err error) error {
	_, row := errors.AsType[RowError](err)
	_, file := errors.AsType[*FileError](err)
	if err == nil || s.failed || row || file || errors.Is(err, io.EOF) {
		return err
	}
	_, damaged := errors.AsType[damage](err)
	return &FileError{Problem: err.Error(), Damaged: damaged}
}

// sourcedReader is an audience whose errors are distinguished from those of its source.
type sourcedReader struct {
	Reader

	source *source
}

func (a *sourcedReader) Next(dst []byte) ([]byte, error) {
	element, err := a.Reader.Next(dst)
	return element, a.source.explain(err)
}
