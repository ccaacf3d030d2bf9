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
	garbagePercent = 300
	// memoryFloor is what a dispatcher needs besides its elements. As long as those are small, the heap stays below it.
	memoryFloor = 64 << 20
	// memoryCopies is how many times over an element's bytes are alive, as measured: its text, and what was read from it. Of elements of the
	// largest legal size a hundred megabytes are alive, and garbagePercent would let them grow to half a gigabyte.
	memoryCopies = 3.5
	// memoryAhead is how many recipients a dispatcher holds for each push in flight.
	memoryAhead = 1.2
)

// tuneGarbage leaves each choice to whoever sets GOGC or GOMEMLIMIT.
func tuneGarbage(s config.Settings) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(s))
	}
}

// memoryLimit is where Go begins to collect more often than garbagePercent asks for. It is above all that the settings let be alive, so
// that collecting never becomes all that is done; should it be, Go spends half of the CPU on it at most.
func memoryLimit(s config.Settings) int64 {
	held := memoryAhead * float64(s.Dispatcher.Concurrency)
	return memoryFloor + int64(held*memoryCopies*float64(s.Queue.MaxElement))
}
