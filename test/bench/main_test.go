// Package bench shows the figures that Fanfare promises. It measures the real binaries with a real
// Redis, a real PostgreSQL and the simulator in a process of its own. It prints, and never fails
// for being slow. Run it with make bench. Compared figures are measured in turn within one run,
// because machines are noisy.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "fanfare-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin = dir
	code := m.Run()
	os.RemoveAll(bin)
	os.Exit(code)
}

// bin is where the binaries under measurement lie.
var bin string

// program is the path of one of our binaries, which is built when it is first asked for.
func program(b *testing.B, name string) string {
	b.Helper()
	return built(b, name, ".", "fanfare/cmd/"+name)
}

// peerProgram is the same for a sender that we compare with. It belongs to a module of its own.
func peerProgram(b *testing.B, name string) string {
	b.Helper()
	return built(b, "peer-"+name, "peers", "./"+name)
}

func built(b *testing.B, name, dir, pkg string) string {
	b.Helper()
	path := filepath.Join(bin, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	build := exec.Command("go", "build", "-C", dir, "-trimpath", "-o", path, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}
