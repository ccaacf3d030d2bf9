package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

// usage is what the operating system says of a finished process.
type usage struct {
	cpu  time.Duration
	peak int64 // bytes of resident memory
	took time.Duration
	code int
}

// process is a program under measurement.
type process struct {
	b       *testing.B
	cmd     *exec.Cmd
	out     bytes.Buffer
	started time.Time
	waited  bool
}

// start runs a program with nothing in its environment but what is given and what Go needs.
func start(b *testing.B, env []string, name string, args ...string) *process {
	b.Helper()
	p := &process{b: b, cmd: exec.Command(name, args...)}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.run()
	return p
}

func (p *process) run() {
	p.started = time.Now()
	servers.KillWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		p.b.Fatalf("start %s: %v", p.cmd.Path, err)
	}
	p.b.Cleanup(func() {
		if !p.waited {
			_ = p.cmd.Process.Kill() // it may have ended by itself
			_ = p.cmd.Wait()
		}
	})
}

// end waits for the process; its exit code is for the caller to judge.
func (p *process) end() usage {
	p.b.Helper()
	err := p.cmd.Wait()
	p.waited = true
	state := p.cmd.ProcessState
	if state == nil {
		p.b.Fatalf("wait for %s: %v", p.cmd.Path, err)
	}
	return usage{
		cpu:  state.UserTime() + state.SystemTime(),
		peak: state.SysUsage().(*syscall.Rusage).Maxrss << 10,
		took: time.Since(p.started),
		code: state.ExitCode(),
	}
}

// succeed waits for the process and ends the benchmark unless it exited 0.
func (p *process) succeed() usage {
	p.b.Helper()
	u := p.end()
	if u.code != 0 {
		p.b.Fatalf("%v exited %d:\n%s", p.cmd.Args, u.code, p.out.Bytes())
	}
	return u
}

func (p *process) signal(s os.Signal) {
	p.b.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.b.Fatalf("signal %s: %v", p.cmd.Path, err)
	}
}

// simulator is fcmsim in a process of its own.
type simulator struct {
	*process
	TLS    string `json:"tls"` // an FCM endpoint
	Admin  string `json:"admin"`
	CAFile string `json:"caFile"`
}

// startSimulator returns when the simulator serves: it then prints its addresses as one line of
// JSON.
func startSimulator(b *testing.B, args ...string) *simulator {
	b.Helper()
	s := &simulator{process: &process{b: b, cmd: exec.Command(program(b, "fcmsim"), args...)}}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	s.cmd.Stderr = &s.out
	s.run()
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		b.Fatalf("fcmsim did not start: %v\n%s", err, s.out.Bytes())
	}
	if err := json.Unmarshal(line, s); err != nil {
		b.Fatalf("read %q of fcmsim: %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return s
}
