package dedupe

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// packed are addresses as the scripts take them.
type packed struct {
	names  []string // keys that were given, then for each address its bucket in each level
	fields []byte   // 6 bytes for each address
	owners []byte   // 4 bytes for each address
}

// pack hashes addresses. Different campaigns have different hashes of one address.
//
// The first 4 bytes of a hash number its buckets, and the next 6 are its field there. So a record
// with 2^14 buckets tells 2^62 addresses apart. The owner is 4 bytes of the hash of an element's
// id. Two elements with the same address have the same owner once in four billion. Both are sent to
// then.
func (r *Record) pack(l levels, some []Address, names ...string) packed {
	p := packed{
		names:  append(make([]string, 0, len(names)+len(some)*len(l.bits)), names...),
		fields: make([]byte, 0, 6*len(some)),
		owners: make([]byte, 0, 4*len(some)),
	}
	// One text holds the names of all buckets.
	var buckets strings.Builder
	buckets.Grow(len(some) * len(l.bits) * (len(names[0]) + len(":24:zzzzz")))
	text := append([]byte(r.list.Plain()), 0)
	campaign := len(text)
	for i := range some {
		text = append(text[:campaign], some[i].Text...)
		digest := sha256.Sum256(text)
		number := binary.BigEndian.Uint32(digest[:])
		for _, bits := range l.bits {
			start := buckets.Len()
			r.list.WriteAddresses(&buckets, bits, number&(1<<bits-1))
			p.names = append(p.names, buckets.String()[start:])
		}
		p.fields = append(p.fields, digest[4:10]...)
		text = append(text[:campaign], some[i].Element...)
		digest = sha256.Sum256(text[campaign:])
		p.owners = append(p.owners, digest[:4]...)
	}
	return p
}
