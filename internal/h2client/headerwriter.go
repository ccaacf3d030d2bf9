package h2client

import (
	"bytes"
	"slices"
	"strconv"

	"golang.org/x/net/http2/hpack"
)

// maxTable limits the compression table for header fields in bytes; the peer may allow less.
const maxTable = 4096

// headerWriter encodes the header fields of requests. Those that are the same for all come first.
type headerWriter struct {
	fields  []Field
	encoder *hpack.Encoder
	table   uint32       // size of the compression table
	block   bytes.Buffer // of the last request

	// The block of the last request begins with its common fields. While these only refer to the
	// compression table, the bytes serve the next request as they are. Encoding them again would
	// search the table for a bearer of a kilobyte.
	common        int // bytes
	isRepeatable  bool
	authorization string

	length     int // of a body
	lengthText string
}

func (h *headerWriter) init(fields []Field) {
	h.fields, h.table, h.lengthText = fields, maxTable, "0"
	h.encoder = hpack.NewEncoder(&h.block)
}

// setTableSize takes the peer's limit of the compression table. The next block announces a change.
func (h *headerWriter) setTableSize(size uint32) {
	if size == h.table {
		return
	}
	h.table, h.isRepeatable = size, false
	h.encoder.SetMaxDynamicTableSizeLimit(size)
	h.encoder.SetMaxDynamicTableSize(min(size, maxTable))
}

// encode returns the header block of a request. It is valid until the next call.
func (h *headerWriter) encode(r *Request) []byte {
	if !h.isRepeatable || r.Authorization != h.authorization {
		h.encodeCommon(r.Authorization)
	}
	h.block.Truncate(h.common)
	if len(r.Body) != h.length {
		h.length, h.lengthText = len(r.Body), strconv.Itoa(len(r.Body))
	}
	// It differs by request, so it must not push the others out of the table.
	_ = h.encoder.WriteField(hpack.HeaderField{Name: "content-length", Value: h.lengthText, Sensitive: true})
	return h.block.Bytes()
}

func (h *headerWriter) encodeCommon(authorization string) {
	h.block.Reset()
	for _, f := range h.fields {
		_ = h.encoder.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value})
	}
	count := len(h.fields)
	if authorization != "" {
		_ = h.encoder.WriteField(hpack.HeaderField{Name: "authorization", Value: authorization})
		count++
	}
	h.authorization, h.common = authorization, h.block.Len()
	h.isRepeatable = isIndexed(h.block.Bytes(), count)
}

// isIndexed reports whether a block of so many fields only refers to the table, with one byte for
// each (RFC 7541, section 6.1). Such a block does not change the table.
func isIndexed(block []byte, fields int) bool {
	return len(block) == fields && !slices.ContainsFunc(block, func(b byte) bool { return b < 0x80 })
}
