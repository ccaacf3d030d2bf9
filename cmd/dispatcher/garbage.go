package main

import (
	"os"
	"runtime/debug"
)

// garbagePercent lets the heap grow to four times what is alive before it is collected. That is little here, some ten
// megabytes, while each push leaves some ten kilobytes behind: at Go's default of 100 collections follow each other so closely
// that they, and the stacks they shrink and the pool grows again, cost an eighth of all CPU.
const garbagePercent = 300

// tuneGarbage leaves the choice to whoever sets GOGC.
func tuneGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
