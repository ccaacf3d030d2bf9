package main

import (
	"runtime/debug"
	"testing"

	"fanfare/internal/config"
)

// With elements of the largest size, 118 MiB are live at the default settings, and our pods have
// 256 MiB.
func TestMemoryLimitFitsThePod(t *testing.T) {
	s := config.Defaults()
	if limit := memoryLimit(s); limit < 150<<20 || limit > 200<<20 {
		t.Errorf("the limit is %d MiB", limit>>20)
	}
	s.Dispatcher.Concurrency *= 10
	if limit := memoryLimit(s); limit < 10*118<<20 {
		t.Errorf("with ten times as many pushes in flight, the limit is %d MiB", limit>>20)
	}
}

func TestGCVariablesTakePrecedence(t *testing.T) {
	percent, limit := debug.SetGCPercent(50), debug.SetMemoryLimit(1<<40)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	t.Setenv("GOGC", "50")
	t.Setenv("GOMEMLIMIT", "1TiB")
	tuneGC(config.Defaults())
	if limit := debug.SetMemoryLimit(-1); limit != 1<<40 {
		t.Errorf("the limit became %d", limit)
	}
	if percent := debug.SetGCPercent(50); percent != 50 {
		t.Errorf("the percentage became %d", percent)
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	tuneGC(config.Defaults())
	if limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(50); limit != memoryLimit(config.Defaults()) || percent != gcPercent {
		t.Errorf("without variables: %d%% and %d bytes", percent, limit)
	}
}
