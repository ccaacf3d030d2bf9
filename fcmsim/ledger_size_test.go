package fcmsim

import (
	"runtime"
	"testing"
)

// A million tokens must fit beside what is tested: below 100 bytes each.
func TestLedgerOfHashesIsLean(t *testing.T) {
	const tokens, most = 300_000, 100
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	l := newLedger(LedgerHashes)
	d := dice(1)
	for range tokens {
		key := ledgerKey{target: d.next(), message: 1}
		l.attempt(key)
		l.accept(key, "token", []byte("{}"), "name")
	}
	if each := float64(heap()-before) / tokens; each > most {
		t.Errorf("%.0f bytes a token", each)
	} else {
		t.Logf("%.0f bytes a token", each)
	}
	runtime.KeepAlive(l)
}
