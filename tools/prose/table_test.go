package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const measured = `package a

// T is a type. Nobody waits for it.
type T[K any] struct{}

func (t *T[K]) Get() {}

// Branch has complexity 11.
func Branch(a, b bool, n int) {
	if a && b || n > 0 {
		for range n {
		}
	}
	switch n {
	case 1:
	case 2, 3:
	default:
	}
	select {
	case <-make(chan int):
	default:
	}
	_ = func() {
		for a {
			if b && a {
			}
		}
	}
}

func ten(a bool) bool { return a || a || a || a || a || a || a || a || a }

type hidden struct{}

func (hidden) String() string { return "" }
`

const measuredTest = `package a

func ExampleBranch() {
	// Output: nothing
}

func ExampleT() {}
`

func TestTable(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	for _, subject := range []string{"before", strings.Repeat("é", maxSubject), strings.Repeat("x", maxSubject+1)} {
		git("commit", "-q", "--allow-empty", "-m", subject)
		if subject == "before" {
			git("tag", "start")
		}
	}
	for name, text := range map[string]string{"a.go": measured, "a_test.go": measuredTest, "b.go": "package a\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := sources([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := printTable(&got, files, dir, "start..HEAD"); err != nil {
		t.Fatal(err)
	}
	want := `files                                 2
file lines, median / p90 / max        35 / 35 / 35
function lines, median / p90 / max    1 / 21 / 21
cyclomatic complexity above 10        25.0%
exported names with a comment         66.7%
archaic words per 100 comment lines   50.0
runnable Examples                     1
commit subjects over 72 characters    50.0% of 2
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	if err := printTable(&got, files, dir, "missing..HEAD"); err == nil {
		t.Error("an unknown range is no error")
	}
}
