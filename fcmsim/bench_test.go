package fcmsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"fanfare/fcmsim"
)

// servesBenchmark makes the test binary a simulator in its own process, so that its CPU time can be
// measured. The value is the latency.
const servesBenchmark = "FCMSIM_SERVES_BENCHMARK"

// serveBenchmark serves until standard input ends.
func serveBenchmark(latency string) error {
	distribution, err := fcmsim.ParseLatency(latency)
	if err != nil {
		return err
	}
	sim, err := fcmsim.New(fcmsim.Options{Rules: fcmsim.Rules{Latency: distribution}})
	if err != nil {
		return err
	}
	srv, err := sim.Start(context.Background(), fcmsim.Listen{HTTP: fcmsim.Off, Admin: fcmsim.Off})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(served{srv.URLs.TLS, srv.CAFile}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return srv.Close()
}

// served is what the process reports about itself.
type served struct{ TLS, CAFile string }

// BenchmarkResponses measures the CPU time of a response on one core, with TLS, HTTP/2, validation
// and ledger. It runs with all that 1,000 streams can take, and at 10,000 a second with a latency,
// where few responses share a write.
func BenchmarkResponses(b *testing.B) {
	b.Run("flat out", func(b *testing.B) { benchmarkResponses(b, "0s", 0) })
	b.Run("10000 a second, 50ms", func(b *testing.B) { benchmarkResponses(b, "lognormal(50ms, 0.3)", 10_000) })
}

// benchmarkResponses sends this many requests a second over ten connections; 0 is as many as
// possible.
func benchmarkResponses(b *testing.B, latency string, rate int) {
	const connections = 10
	simulator := startBenchmarked(b, latency)
	var senders sync.WaitGroup
	b.ResetTimer()
	for i := range connections {
		share := (b.N + i) / connections
		senders.Go(func() {
			l, err := dialLoad(simulator.served)
			if err == nil {
				err = l.send(share, rate/connections)
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	senders.Wait()
	b.StopTimer()
	cpu := simulator.end(b)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
	b.ReportMetric(float64(b.N)/cpu.Seconds(), "answers/s-of-cpu")
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-µs/answer")
}

// benchmarked is a simulator in a process of its own, on one core.
type benchmarked struct {
	served
	cmd   *exec.Cmd
	stdin io.Closer
}

func startBenchmarked(b *testing.B, latency string) *benchmarked {
	b.Helper()
	p := &benchmarked{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", servesBenchmark+"="+latency)
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p.stdin = stdin
	if err := json.NewDecoder(stdout).Decode(&p.served); err != nil {
		b.Fatal(err)
	}
	return p
}

// end returns the CPU time that the process used.
func (p *benchmarked) end(b *testing.B) time.Duration {
	b.Helper()
	if err := errors.Join(p.stdin.Close(), p.cmd.Wait()); err != nil {
		b.Error(err)
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}
