package main

import (
	"os"
	"runtime/debug"

	"fanfare/internal/config"
)

const (
	// gcPercent lets the heap grow to 2.2 times the live memory before a collection. At 300
	// instead of 130, the dispatcher of BenchmarkPeers needed 15 MiB more. It saved no CPU at 50 ms
	// of latency, and 3% to 9% without latency.
	gcPercent = 120
	// baseMemory is what a dispatcher needs besides its elements. While elements are small, the
	// heap stays below it.
	baseMemory = 64 << 20
	// copiesPerElement is how many times an element's bytes are live, as measured: its text and its
	// parsed form. With elements of the largest size, 100 MB are live, which gcPercent would let
	// grow to half a gigabyte.
	copiesPerElement = 3.5
	// recipientsPerPush is how many recipients a dispatcher has in memory per push in flight. Each
	// Firebase project has its own.
	recipientsPerPush = 1.2
)

// tuneGC sets the garbage collector, unless GOGC or GOMEMLIMIT do.
func tuneGC(s config.Settings) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(s))
	}
}

// memoryLimit is where Go starts to collect more often than gcPercent demands. It is above all that
// can be live under the settings, so that collecting never takes over. If it did, Go would spend at
// most half of the CPU on it.
func memoryLimit(s config.Settings) int64 {
	recipients := recipientsPerPush * float64(s.Dispatcher.Concurrency*len(s.Served()))
	return baseMemory + int64(recipients*copiesPerElement*float64(s.Queue.MaxElement))
}
