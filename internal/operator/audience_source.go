package operator

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
	return &FileError{err.Error()}
}

// sourcedAudience is an audience whose errors are distinguished from those of its source.
type sourcedAudience struct {
	audience
	source *source
}

func (a *sourcedAudience) next(dst []byte) ([]byte, error) {
	element, err := a.audience.next(dst)
	return element, a.source.explain(err)
}
