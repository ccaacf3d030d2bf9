package main

import (
	"os"
	"runtime/debug"

	"fanfare/internal/config"
)

const (
	// garbagePercent lets the heap grow to four times what is alive before it is collected. Of usual elements, of some hundred bytes, some
	// ten megabytes are alive, while each push leaves some ten kilobytes behind: at Go's default of 100 collections follow each other so
	// closely that they, and the stacks they shrink and the pool grows again, cost an eighth of all CPU.
	gcPercent = 300
	// memoryFloor is what a dispatcher needs besides its elements. As long as those are small, the heap stays below it.
	baseMemory = 64 << 20
	// memoryCopies is how many times over an element's bytes are alive, as measured: its text, and what was read from it. Of elements of the
	// largest legal size a hundred megabytes are alive, and garbagePercent would let them grow to half a gigabyte.
	copiesPerElement = 3.5
	// memoryAhead is how many recipients a dispatcher holds for each push in flight.
	recipientsPerPush = 1.2
)

// tuneGarbage leaves each choice to whoever sets GOGC or GOMEMLIMIT.
func tuneGC(s config.Settings) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(s))
	}
}

// memoryLimit is where Go begins to collect more often than garbagePercent asks for. It is above all that the settings let be alive, so
// that collecting never becomes all that is done; should it be, Go spends half of the CPU on it at most.
func memoryLimit(s config.Settings) int64 {
	held := recipientsPerPush * float64(s.Dispatcher.Concurrency)
	return baseMemory + int64(held*copiesPerElement*float64(s.Queue.MaxElement))
}
