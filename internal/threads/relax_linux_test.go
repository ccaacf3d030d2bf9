package threads

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process with this variable relaxes and describes itself. It writes a byte to its descriptor 3
// at each start.
const describes = "THREADS_TEST_DESCRIBES"

func TestMain(m *testing.M) {
	if os.Getenv(describes) == "" {
		os.Exit(m.Run())
	}
	starts := os.NewFile(3, "starts")
	if _, err := starts.WriteString("."); err != nil {
		panic(err)
	}
	inherited := currentSlack()
	Relax()
	fmt.Println(os.Getpid(), inherited, os.Args[1:])
}

func currentSlack() time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		panic(err)
	}
	return time.Duration(now)
}

func TestRelaxStartsTheProgramOnceMore(t *testing.T) {
	checkRelaxed(t, "..")
}

func TestRelaxKeepsALongerSlack(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := currentSlack()
	setSlack(t, slack)
	defer setSlack(t, before)
	checkRelaxed(t, ".")
}

func setSlack(t *testing.T, d time.Duration) {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(d), 0, 0, 0); err != nil {
		t.Fatal(err)
	}
}

// checkRelaxed starts a process. It checks that it stays the same one with the same arguments, and
// that all its threads begin with the slack. The starts have a point for each.
func checkRelaxed(t *testing.T, starts string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out strings.Builder
	program := exec.CommandContext(t.Context(), os.Args[0], "one", "two words")
	program.Env = append(os.Environ(), describes+"=1")
	program.ExtraFiles = []*os.File{w}
	program.Stdout, program.Stderr = &out, &out
	err = program.Run()
	_ = w.Close()
	if err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if want := fmt.Sprintln(program.Process.Pid, slack, []string{"one", "two words"}); out.String() != want {
		t.Errorf("the program says %q, want %q", &out, want)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != starts {
		t.Errorf("the program started %d times (%v), want %d", len(got), err, len(starts))
	}
}
