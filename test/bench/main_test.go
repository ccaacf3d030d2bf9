// Package bench shows the figures that Fanfare promises, measured on the real binaries, a real redis-server, a real
// PostgreSQL and the simulator in a process of its own. It prints; it never fails for being slow. Run it with
// make bench. Figures that compare two things take them in turn within one run, for machines are noisy.
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
	code := m.Run()
	if bin != "" {
		os.RemoveAll(bin)
	}
	os.Exit(code)
}

// bin is where the binaries under measurement lie; they are built when the first is asked for.
var bin string

// program is the path of one of our binaries.
func program(b *testing.B, name string) string {
	b.Helper()
	if bin == "" {
		build(b)
	}
	return filepath.Join(bin, name)
}

func build(b *testing.B) {
	b.Helper()
	dir, err := os.MkdirTemp("", "fanfare-bench-")
	if err != nil {
		b.Fatal(err)
	}
	bin = dir
	build := exec.Command("go", "build", "-trimpath", "-o", dir, "fanfare/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
}
