package fcmsim

import (
	"encoding/binary"
	"math/bits"
)

// fingerprint mixes data into a 64-bit hash. It is the same in every process, so that ledgers can be compared and seeds
// repeat a run; among a million tokens two share one with a probability below one in ten million.
func fingerprint[T string | []byte](seed uint64, data T) uint64 {
	const k0, k1 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	h := seed ^ k0 ^ uint64(len(data))
	var block [8]byte
	for len(data) > 0 {
		n := copy(block[:], data)
		clear(block[n:])
		data = data[n:]
		hi, lo := bits.Mul64(h^k1, binary.LittleEndian.Uint64(block[:])^k0)
		h = hi ^ lo ^ bits.RotateLeft64(h, 23)
	}
	hi, lo := bits.Mul64(h, k1)
	return hi ^ lo
}
