package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// result is what the benchmark found. BenchmarkPeers in test/bench writes it.
type result struct {
	At       time.Time `json:"at"`
	Machine  machine   `json:"machine"`
	Settings []setting `json:"settings"`
	Memory   []struct {
		Recipients int     `json:"recipients"`
		Peak       float64 `json:"peak"` // MiB
	} `json:"memory"`
	Connections struct {
		InFlight int `json:"inFlight"`
		Dialed   int `json:"dialed"`
	} `json:"connections"`
	Latency struct {
		Rate   float64 `json:"rate"`   // pushes a second
		Median float64 `json:"median"` // ms
		P99    float64 `json:"p99"`    // ms
	} `json:"latency"`
}

type machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	Redis string `json:"redis"`
	Node  string `json:"node"`
}

// setting is one comparison of all senders. The first is ours.
type setting struct {
	Name    string   `json:"name"`
	Senders []sender `json:"senders"`
}

type sender struct {
	Name       string  `json:"name"`
	Label      string  `json:"label"`
	Recipients int     `json:"recipients"`
	Rounds     []round `json:"rounds"`
}

type round struct {
	CPU    float64 `json:"cpu"`    // of the sender, µs a push
	Redis  float64 `json:"redis"`  // µs a push
	Rate   float64 `json:"rate"`   // pushes a second
	Peak   float64 `json:"peak"`   // of the sender's memory, MiB
	Others float64 `json:"others"` // CPUs used by programs that are no part of the benchmark
}

// ours is the name of the sender that the others are compared with.
const ours = "dispatcher"

// check refuses a result of only some parts: a page would quote what was not measured.
func (r *result) check() error {
	if len(r.Settings) != 2 || len(r.Memory) != 2 || r.Connections.InFlight == 0 || r.Latency.Rate == 0 {
		return errors.New("the result lacks parts; run make bench-peers without -only")
	}
	for _, s := range r.Settings {
		for _, name := range []string{ours, "lookup", "sdk", "worker", "asynq", "node", "floor"} {
			if i := s.index(name); i < 0 || len(s.Senders[i].Rounds) == 0 || len(s.Senders[i].Rounds) != len(s.Senders[0].Rounds) {
				return fmt.Errorf("%s: the sender %s lacks rounds; run make bench-peers without -only", s.Name, name)
			}
		}
	}
	return nil
}

func (s setting) index(name string) int {
	return slices.IndexFunc(s.Senders, func(s sender) bool { return s.Name == name })
}

func (s setting) sender(name string) sender { return s.Senders[s.index(name)] }

// ratios are what our sender took, or did, for one of another's, in the same round.
func (s setting) ratios(name string, of func(round) float64) (all []float64) {
	us, them := s.sender(ours), s.sender(name)
	for i := range them.Rounds {
		all = append(all, of(us.Rounds[i])/of(them.Rounds[i]))
	}
	return all
}

// values of one kind, of all rounds.
func (s sender) values(of func(round) float64) (all []float64) {
	for _, r := range s.Rounds {
		all = append(all, of(r))
	}
	return all
}

func (s sender) median(of func(round) float64) float64 { return median(s.values(of)) }

// usesRedis reports whether a sender uses Redis at all.
func (s sender) usesRedis() bool { return s.median(redis) > 0 }

func cpu(r round) float64    { return r.CPU }
func redis(r round) float64  { return r.Redis }
func rate(r round) float64   { return r.Rate }
func peak(r round) float64   { return r.Peak }
func others(r round) float64 { return r.Others }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
