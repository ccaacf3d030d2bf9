package audience

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

// CheckWhole reads compressed files to their end, and refuses those that are damaged or cut off
// with a *FileError. Their checksums stand behind the text: a load without this check would queue
// garbled recipients before it notices. Only regular files can be read twice; other sources are
// left alone, and so is what OpenFiles refuses.
func CheckWhole(ctx context.Context, sources []Source) error {
	for _, s := range sources {
		problem, err := s.findDamage(ctx)
		if err != nil {
			return err
		}
		if problem == "" {
			continue
		}
		refused := &FileError{Problem: problem}
		if len(sources) > 1 {
			refused.File = s.Name
		}
		return refused
	}
	return nil
}

// findDamage returns what is wrong with a compressed regular file; "" for a whole one.
func (s Source) findDamage(ctx context.Context) (problem string, err error) {
	file, err := s.Open()
	if err != nil {
		return "", nil // OpenFiles says so
	}
	defer file.Close()
	if !isRegular(file) || s.Format == Parquet {
		return "", nil
	}
	from := &source{Reader: contextReader{ctx, file}}
	content, compressed, err := openLayers(from)
	if err == nil && compressed {
		_, err = io.Copy(io.Discard, content)
	}
	switch _, refused := errors.AsType[*FileError](err); {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case from.failed:
		return "", err
	case err == nil, refused, errors.Is(err, errParquet):
		return "", nil
	}
	return err.Error(), nil
}

func isRegular(file io.Reader) bool {
	f, ok := file.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// contextReader ends the reading of a long file.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
