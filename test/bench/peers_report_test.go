package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// result is what BenchmarkPeers found, as docs/benchmarks.json has it. tools/chart reads it.
type result struct {
	At          time.Time    `json:"at"`
	Machine     machine      `json:"machine"`
	Settings    []comparison `json:"settings"`
	Memory      []memory     `json:"memory,omitempty"`
	Connections *connections `json:"connections,omitempty"`
	Latency     *latency     `json:"latency,omitempty"`
}

type machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	Redis string `json:"redis"`
	Node  string `json:"node,omitempty"`
}

// comparison of senders in one setting.
type comparison struct {
	Name     string  `json:"name"`
	Latency  string  `json:"latency"`
	InFlight int     `json:"inFlight"`
	Senders  []trial `json:"senders"`
}

// trial is one sender, in several rounds.
type trial struct {
	Name       string    `json:"name"`
	Label      string    `json:"label"`
	Recipients int       `json:"recipients"`
	Rounds     []figures `json:"rounds"`
}

// figures of one run of a sender.
type figures struct {
	CPU       float64   `json:"cpu"`    // of the sender, µs a push, its start and end included
	Redis     float64   `json:"redis"`  // µs a push
	Rate      float64   `json:"rate"`   // pushes a second, from a tenth of the way on
	Peak      float64   `json:"peak"`   // of the sender's memory, MiB
	Dialed    int64     `json:"dialed"` // TLS connections
	Others    float64   `json:"others"` // CPUs that programs used which are no part of the benchmark
	StartedAt time.Time `json:"startedAt"`
}

func (f figures) String() string {
	return fmt.Sprintf("%6.1f µs  Redis %5.1f µs  %7.0f/s  %6.1f MiB  %2d connections  others %.2f", f.CPU, f.Redis, f.Rate, f.Peak, f.Dialed, f.Others)
}

type memory struct {
	Recipients int     `json:"recipients"`
	Peak       float64 `json:"peak"` // MiB
}

type connections struct {
	InFlight    int   `json:"inFlight"`
	Dialed      int64 `json:"dialed"`
	MaxInFlight int64 `json:"maxInFlight"` // that the simulator saw
}

type latency struct {
	Rate    float64 `json:"rate"` // pushes a second
	Samples int     `json:"samples"`
	Median  float64 `json:"median"` // ms
	P99     float64 `json:"p99"`    // ms
}

// newResult describes the machine.
func newResult(b *testing.B) *result {
	b.Helper()
	r := &result{At: time.Now().UTC().Truncate(time.Second), Machine: machine{Cores: runtime.NumCPU(), Go: runtime.Version()}}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			r.Machine.CPU = strings.TrimSpace(value)
			break
		}
	}
	r.Machine.Redis = versionOf(b, "redis-server", "--version")
	if isChosen("node") {
		r.Machine.Node = versionOf(b, "node", "--version")
	}
	return r
}

// versionOf is the word of a program's version that is a number.
func versionOf(b *testing.B, name string, args ...string) string {
	b.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	for word := range strings.FieldsSeq(string(out)) {
		if word = strings.TrimPrefix(strings.TrimPrefix(word, "v="), "v"); strings.Count(word, ".") == 2 {
			return word
		}
	}
	b.Fatalf("%s has no version in %q", name, out)
	return ""
}

// write puts the result into a file, as text that shows well in a comparison of versions.
func (r *result) write(b *testing.B, name string) {
	b.Helper()
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		b.Fatal(err)
	}
}

// printRatios compares the dispatcher with each other sender of its own round.
func (c comparison) printRatios() {
	ours := c.Senders[0]
	if ours.Name != "dispatcher" {
		return
	}
	fmt.Printf("the dispatcher's part of the others' CPU a push, and its multiple of their pushes a second; all pairs, then the median\n")
	for _, theirs := range c.Senders[1:] {
		var cpu, rate []float64
		for i, f := range theirs.Rounds {
			cpu = append(cpu, ours.Rounds[i].CPU/f.CPU)
			rate = append(rate, ours.Rounds[i].Rate/f.Rate)
		}
		fmt.Printf("   of %-10s CPU %.2f: %.2f    pushes %.2f: %.2f\n", theirs.Name, cpu, median(cpu), rate, median(rate))
	}
}

// round keeps so many parts of one.
func round(v, parts float64) float64 { return math.Round(v*parts) / parts }

func micros(seconds float64) float64 { return round(seconds*1e6, 10) }
func millis(d time.Duration) float64 { return round(d.Seconds()*1e3, 100) }
func mebibytes(bytes int64) float64  { return round(float64(bytes)/(1<<20), 10) }
