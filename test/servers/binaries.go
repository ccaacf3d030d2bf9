// Package servers starts what tests need outside of the process: Redis servers and clusters,
// PostgreSQL, our programs, and a proxy that loses replies. It imports no other package of ours.
package servers

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Programs are Fanfare's binaries, as make builds them. A package whose tests run them builds them
// once, in its TestMain.
type Programs struct{ root, dir string }

// BuildPrograms builds programs in a temporary directory; without names, all four.
func BuildPrograms(names ...string) (*Programs, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, fmt.Errorf("find module: %w", err)
	}
	dir, err := os.MkdirTemp("", "fanfare-bin-")
	if err != nil {
		return nil, err
	}
	p := &Programs{root: root, dir: dir}
	if len(names) == 0 {
		names = []string{"dispatcher", "responder", "fanfare", "fcmsim"}
	}
	build := exec.Command("go", "build", "-trimpath", "-o", dir+string(filepath.Separator))
	for _, name := range names {
		build.Args = append(build.Args, "./cmd/"+name)
	}
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		p.Remove()
		return nil, fmt.Errorf("build programs: %w\n%s", err, out)
	}
	return p, nil
}

// Dir is the directory of the programs.
func (p *Programs) Dir() string { return p.dir }

// Path returns the path of a program: dispatcher, responder, fanfare or fcmsim.
func (p *Programs) Path(program string) string { return filepath.Join(p.dir, program) }

// Remove deletes the binaries.
func (p *Programs) Remove() { _ = os.RemoveAll(p.dir) }

func moduleRoot() (string, error) {
	file, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	return filepath.Dir(string(bytes.TrimSpace(file))), nil
}

// OpenSources opens the directories of the programs' sources, so that Go's test cache depends on
// them. The cache counts only what the test itself opens, and not what the compiler reads. Without
// this, a changed program would pass untested. What TestMain opens does not count either, so each
// test calls this.
func (p *Programs) OpenSources(t testing.TB) {
	t.Helper()
	for _, sources := range []string{"cmd", "internal", "fcmsim"} {
		err := filepath.WalkDir(filepath.Join(p.root, sources), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			t.Fatalf("look at the programs' sources: %v", err)
		}
	}
}
