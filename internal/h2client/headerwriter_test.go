package h2client

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// bearer returns the value of an authorization field, as long as a real one.
func bearer(n int) string { return "Bearer " + strconv.Itoa(n) + strings.Repeat("x", 1000) }

// A bearer that stays the same costs a byte for each request, and each length of a body a few.
func TestRepeatedHeaderIsSmall(t *testing.T) {
	t.Parallel()
	var w headerWriter
	w.init(fields)
	for i := range 20 {
		block := w.encode(&Request{Authorization: bearer(1), Body: make([]byte, 100+i)})
		if limit := len(fields) + 8; i > 1 && len(block) > limit {
			t.Errorf("request %d has a block of %d bytes, want %d at most", i, len(block), limit)
		}
	}
}

// Whatever bearers, lengths and table sizes follow each other, the peer reads what was meant.
func TestHeadersAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var w headerWriter
		w.init(fields)
		decoder := hpack.NewDecoder(4096, nil)
		size := uint32(4096)
		for range 50 {
			if random.IntN(8) == 0 {
				size = []uint32{0, 64, 300, 1200, 4096, 65536}[random.IntN(6)]
				w.setTableSize(size)
				decoder.SetAllowedMaxDynamicTableSize(size)
			}
			r := &Request{Body: make([]byte, random.IntN(3)*random.IntN(5000))}
			if random.IntN(4) > 0 {
				r.Authorization = bearer(random.IntN(3))
			}
			got, err := decoder.DecodeFull(w.encode(r))
			if err != nil {
				t.Fatalf("seed %d: table of %d bytes: %v", seed, size, err)
			}
			if want := headerOf(r); !slices.Equal(got, want) {
				t.Fatalf("seed %d: read %.300q, want %.300q", seed, got, want)
			}
		}
	}
}

// headerOf returns the fields that the peer must read.
func headerOf(r *Request) (all []hpack.HeaderField) {
	for _, f := range fields {
		all = append(all, hpack.HeaderField{Name: f.Name, Value: f.Value})
	}
	if r.Authorization != "" {
		all = append(all, hpack.HeaderField{Name: "authorization", Value: r.Authorization})
	}
	return append(all, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(r.Body)), Sensitive: true})
}
