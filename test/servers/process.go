package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is far above the time that anything in a test takes. What takes longer hangs.
const Patience = 2 * time.Minute

// Process is a running program. It is killed when the test ends.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	out   output
	log   output
	ended chan struct{}
}

// StartProcess runs a program. Its environment is env, PATH and an empty HOME, so that no settings
// or credentials of the machine reach it.
func StartProcess(t testing.TB, env []string, program string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	KillWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState says how it ended
		close(p.ended)
	}()
	t.Cleanup(p.cleanUp)
	return p
}

func (p *Process) cleanUp() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
	if p.t.Failed() && p.Log() != "" {
		p.t.Logf("the last that %v said:\n%s", p.cmd.Args, lastLines(p.log.String(), 40))
	}
}

// Signal sends a signal to the program, which must be running.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("send %s to %v: %v", s, p.cmd.Args, err)
	}
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.ended }

// Wait returns the program's exit code, or -1 if a signal killed it.
func (p *Process) Wait() (code int) {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(Patience):
		p.t.Fatalf("%v still runs after %s", p.cmd.Args, Patience)
		return 0
	}
}

// ExpectExit waits for the program to end with an exit code, and returns its standard output.
func (p *Process) ExpectExit(code int) (printed []byte) {
	p.t.Helper()
	if got := p.Wait(); got != code {
		p.t.Fatalf("%v exited %d, want %d:\n%s", p.cmd.Args, got, code, lastLines(p.log.String(), 10))
	}
	return []byte(p.out.String())
}

// Stdout returns the standard output so far.
func (p *Process) Stdout() []byte { return []byte(p.out.String()) }

// Log returns the standard error so far.
func (p *Process) Log() string { return p.log.String() }

// AwaitLog waits until standard error contains text.
func (p *Process) AwaitLog(text string) {
	p.t.Helper()
	Eventually(p.t, fmt.Sprintf("%v says %q", p.cmd.Args, text), func() bool { return strings.Contains(p.Log(), text) })
}

// Eventually waits until a condition holds. If it does not, the test ends.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	eventually(t, what, 5*time.Millisecond, holds)
}

// eventually checks a condition at an interval, and waits at least twice as long as the last check
// took. So checks that start programs leave most of the CPU to the programs under test.
func eventually(t testing.TB, what string, interval time.Duration, holds func() bool) {
	t.Helper()
	limit := time.After(Patience)
	for {
		start := time.Now()
		if holds() {
			return
		}
		select {
		case <-limit:
			t.Fatalf("after %s it still does not hold that %s", Patience, what)
		case <-time.After(max(interval, 2*time.Since(start))):
		}
	}
}

// Receive takes a value from a channel or notices its close. If neither happens, the test ends.
func Receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(Patience):
		t.Fatalf("after %s still no %s", Patience, what)
		panic("unreachable")
	}
}

// output collects the program's output while a test reads it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// startAndAwait starts a server. It returns when the log has the line, or when the server ends.
// reading ends with the log.
func startAndAwait(cmd *exec.Cmd, line string, reading *sync.WaitGroup) error {
	log, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	KillWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	ready := make(chan error, 1)
	reading.Go(func() {
		ready <- awaitLine(log, line)
		_, _ = io.Copy(io.Discard, log) // the server must never block on its log
	})
	if err := <-ready; err != nil {
		_ = cmd.Process.Kill()
		reading.Wait()
		return errors.Join(err, cmd.Wait())
	}
	return nil
}
