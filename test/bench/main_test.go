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

// bin is where the binaries under measurement lie.
var bin string

func TestMain(m *testing.M) {
	if os.Getenv(bareLoopEnv) != "" {
		if err := bareLoop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fanfare-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-trimpath", "-o", dir, "fanfare/cmd/dispatcher", "fanfare/cmd/responder", "fanfare/cmd/fanfare", "fanfare/cmd/fcmsim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func program(name string) string { return filepath.Join(bin, name) }
