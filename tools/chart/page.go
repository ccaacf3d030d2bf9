package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// tables are the passage of docs/benchmarks.md.
func tables(r *result) string {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "\n![Bars of the tables below](benchmarks.svg)\n\n")
	fmt.Fprintf(&b, "Measured on %s: %d cores of %s, %s, Redis %s, Node.js %s.\n", r.At.Format("2 January 2006"), m.Cores, m.CPU, goName(m.Go), m.Redis, m.Node)
	fmt.Fprintf(&b, "Other programs used %.2f of the %d cores meanwhile, as the median of all runs; [every run](benchmarks.json).\n", median(busy(r)), m.Cores)
	for _, s := range r.Settings {
		fmt.Fprintf(&b, "\n%s; the median of %d rounds:\n\n", s.Name, len(s.Senders[0].Rounds))
		b.WriteString("| sender | its CPU a push, µs | Redis' CPU a push, µs | pushes a second | peak memory, MiB |\n|---|--:|--:|--:|--:|\n")
		for _, t := range s.Senders {
			store := "–"
			if t.usesRedis() {
				store = t.cell(redis)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f |\n", t.Label, t.cell(cpu), store, thousands(t.median(rate)), t.median(peak))
		}
		b.WriteString("\n| dispatcher against | CPU a push: all pairs | median | pushes a second: all pairs | median |\n|---|---|--:|---|--:|\n")
		for _, t := range s.Senders[1:] {
			c, p := s.ratios(t.Name, cpu), s.ratios(t.Name, rate)
			fmt.Fprintf(&b, "| %s | %s | **%.2f** | %s | **%.2f** |\n", t.Label, list(c), median(c), list(p), median(p))
		}
	}
	fmt.Fprintf(&b, "\n| the dispatcher alone | figure |\n|---|---|\n")
	fmt.Fprintf(&b, "| peak memory, 1,000 in flight | %.0f MiB for %s recipients, %.0f MiB for %s |\n",
		r.Memory[0].Peak, thousands(float64(r.Memory[0].Recipients)), r.Memory[1].Peak, thousands(float64(r.Memory[1].Recipients)))
	fmt.Fprintf(&b, "| TLS connections dialed for %s in flight | %d |\n", thousands(float64(r.Connections.InFlight)), r.Connections.Dialed)
	fmt.Fprintf(&b, "| latency added to the simulator's 50 ms at %s pushes a second | median %.1f ms, 99%% below %.1f ms |\n\n",
		thousands(r.Latency.Rate), r.Latency.Median, r.Latency.P99)
	return b.String()
}

// quote is the passage of the README: three numbers.
func quote(r *result) string {
	s := r.Settings[0]
	part := func(name string) string { return fmt.Sprintf("%.2f", median(s.ratios(name, cpu))) }
	return fmt.Sprintf("CPU of a push: %s times that of the Go SDK's `Send` in a loop, %s times a textbook worker's, %s times asynq's.",
		part("sdk"), part("worker"), part("asynq"))
}

// cell is a median, and the range if that shows.
func (s sender) cell(of func(round) float64) string {
	values := s.values(of)
	low, high := fmt.Sprintf("%.1f", slices.Min(values)), fmt.Sprintf("%.1f", slices.Max(values))
	if low == high {
		return low
	}
	return fmt.Sprintf("%.1f (%s to %s)", median(values), low, high)
}

// busy are the CPUs that other programs used, of all runs.
func busy(r *result) (all []float64) {
	for _, s := range r.Settings {
		for _, t := range s.Senders {
			all = append(all, t.values(others)...)
		}
	}
	return all
}

func list(ratios []float64) string {
	texts := make([]string, len(ratios))
	for i, v := range ratios {
		texts[i] = fmt.Sprintf("%.2f", v)
	}
	return strings.Join(texts, ", ")
}

// thousands writes a number with three digits that count: 23,400.
func thousands(v float64) string {
	if v >= 1000 {
		unit := math.Pow(10, math.Floor(math.Log10(v))-2)
		v = math.Round(v/unit) * unit
	}
	digits := fmt.Sprintf("%.0f", v)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// goName is "Go 1.26.8" for go1.26.8.
func goName(version string) string { return "Go " + strings.TrimPrefix(version, "go") }
