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
	if os.Getenv(bareLoopEnv) != "" {
		if err := bareLoop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
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
	path := filepath.Join(bin, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	build := exec.Command("go", "build", "-trimpath", "-o", path, "fanfare/cmd/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}
