package bench

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var (
	peerPairs = flag.Int("pairs", 4, "`rounds` of BenchmarkPeers; each has every sender once")
	peerOnly  = flag.String("only", "", "parts of BenchmarkPeers, a `list` such as dispatcher,sdk,memory (default: all)")
	peerQuick = flag.Bool("quick", false, "a tenth of the recipients of BenchmarkPeers, to see that it works")
	peerFile  = flag.String("result", "", "`file` that BenchmarkPeers writes its figures to, as JSON")
)

// setting is what the senders meet.
type setting struct {
	Name       string
	Latency    string
	InFlight   int // requests at a time
	Recipients int
	Slow       int // recipients of senders that need seconds for 10,000 of them
}

// The settings are long enough that the start of a sender does not count: some seconds at least.
var settings = []setting{
	{Name: "50 ms latency, 500 in flight", Latency: "50ms", InFlight: 500, Recipients: 150_000, Slow: 50_000},
	{Name: "no latency, 1,000 in flight", Latency: "0s", InFlight: 1000, Recipients: 150_000, Slow: 50_000},
}

// BenchmarkPeers compares the dispatcher with other ways to send: all senders in turn, in several
// rounds, each as a process of its own, with the same simulator and the same Redis. Then it
// measures what only the dispatcher promises.
func BenchmarkPeers(b *testing.B) {
	for _, name := range strings.FieldsFunc(*peerOnly, func(r rune) bool { return r == ',' }) {
		if !slices.Contains(peerParts(), name) {
			b.Fatalf("-only %s: no such part; there are %s", name, strings.Join(peerParts(), ", "))
		}
	}
	for b.Loop() {
		r := newResult(b)
		for _, s := range settings {
			b.Run(strings.ReplaceAll(s.Name, " ", "-"), func(b *testing.B) {
				for b.Loop() {
					r.Settings = append(r.Settings, compare(b, s))
				}
			})
		}
		b.Run("dispatcher", func(b *testing.B) {
			for b.Loop() {
				r.Memory, r.Connections, r.Latency = peakMemory(b), dialed(b), addedLatency(b)
			}
		})
		if *peerFile != "" && !b.Failed() {
			r.write(b, *peerFile)
		}
	}
}

// shortened is a number of recipients, or a tenth of it with -quick.
func shortened(n int) int {
	if *peerQuick {
		return n / 10
	}
	return n
}

// isChosen reports whether a part of the benchmark is to run.
func isChosen(name string) bool {
	return *peerOnly == "" || slices.Contains(strings.Split(*peerOnly, ","), name)
}

func peerParts() (names []string) {
	for _, s := range senders {
		names = append(names, s.name)
	}
	return append(names, partMemory, partConnections, partLatency)
}

// compare runs the senders in turn: in every other round from the last to the first.
func compare(b *testing.B, s setting) comparison {
	w := newPeerWorld(b, s.Latency)
	c := comparison{Name: s.Name, Latency: s.Latency, InFlight: s.InFlight}
	for _, sender := range senders {
		if isChosen(sender.name) {
			c.Senders = append(c.Senders, trial{Name: sender.name, Label: sender.label, Recipients: sender.recipients(s)})
		}
	}
	if len(c.Senders) == 0 {
		return c
	}
	fmt.Printf("\n%s: CPU of the sender for a push, Redis' CPU, pushes a second, peak memory; others: CPUs that other programs used\n", s.Name)
	for round := range *peerPairs {
		order := make([]*trial, len(c.Senders))
		for i := range c.Senders {
			order[i] = &c.Senders[i]
		}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, t := range order {
			i := slices.IndexFunc(senders, func(s sender) bool { return s.name == t.Name })
			f := w.try(senders[i], s, t.Recipients)
			t.Rounds = append(t.Rounds, f)
			fmt.Printf("%5d  %-10s %s\n", round+1, t.Name, f)
		}
	}
	c.printRatios()
	return c
}
