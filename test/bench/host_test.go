package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// host is what the machine's CPUs have done since it started. It reports whether a figure was the
// programs' limit or the machine's.
type host struct {
	idle, interrupts, stolen, all float64       // ticks of all CPUs
	short                         time.Duration // during which something that could run waited for a CPU
	at                            time.Time
}

// readHost reads /proc/stat (user, nice, system, idle, iowait, irq, softirq, steal) and
// /proc/pressure/cpu.
func readHost(b *testing.B) host {
	b.Helper()
	h := host{at: time.Now(), short: time.Duration(procNumber(b, "/proc/pressure/cpu", "total=")) * time.Microsecond}
	ticks := strings.Fields(procLine(b, "/proc/stat"))
	for i, field := range ticks[1:min(9, len(ticks))] {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			b.Fatalf("read /proc/stat: %v", err)
		}
		h.all += n
		switch i {
		case 3, 4:
			h.idle += n
		case 5, 6:
			h.interrupts += n
		case 7:
			h.stolen += n
		}
	}
	return h
}

// since tells what the CPUs did from a moment on.
func (h host) since(before host) string {
	share := func(ticks float64) float64 { return 100 * ticks / (h.all - before.all) }
	return fmt.Sprintf("%.0f%% idle and %.0f%% stolen, and for %.0f%% of the time something waited for a CPU",
		share(h.idle-before.idle), share(h.stolen-before.stolen), 100*(h.short-before.short).Seconds()/h.at.Sub(before.at).Seconds())
}

// busy is how many CPUs were at work for programs since a moment, and how many for the kernel's
// interrupts, the network's included.
func (h host) busy(before host) (programs, interrupts float64) {
	cpus := float64(runtime.NumCPU()) / (h.all - before.all)
	interrupts = (h.interrupts - before.interrupts) * cpus
	away := (h.idle - before.idle + h.stolen - before.stolen) * cpus
	return float64(runtime.NumCPU()) - away - interrupts, interrupts
}

// cpu is the CPU time that a running process has used so far, in steps of 10 ms: the 14th and 15th
// field of /proc/…/stat.
func (p *process) cpu() time.Duration {
	p.b.Helper()
	var ticks int64
	for _, field := range p.stat()[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			p.b.Fatalf("read /proc/%d/stat: %v", p.cmd.Process.Pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// exited reports whether a process that was not waited for has ended.
func (p *process) exited() bool {
	p.b.Helper()
	return p.stat()[0] == "Z"
}

// stat is /proc/…/stat from the third field on: the state.
func (p *process) stat() []string {
	p.b.Helper()
	line := procLine(p.b, fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	return strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
}

// procLine is the first line of a file of the kernel's.
func procLine(b *testing.B, file string) string {
	b.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

// procNumber is the number behind a word in the first line of a file of the kernel's.
func procNumber(b *testing.B, file, word string) int64 {
	b.Helper()
	_, text, _ := strings.Cut(procLine(b, file), word)
	text, _, _ = strings.Cut(text, " ")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.Fatalf("read %s: %v", file, err)
	}
	return n
}
