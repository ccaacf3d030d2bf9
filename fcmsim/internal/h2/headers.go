package h2

import (
	"net/url"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// headerReader reads all header blocks of a connection, because they share the state of the
// compression (RFC 7541).
type headerReader struct {
	decoder *hpack.Decoder
	max     int

	request Request
	size    int // of the list, as HTTP/2 counts it
	block   int // bytes on the wire
}

func newHeaderReader(maxHeader int) *headerReader {
	h := &headerReader{max: maxHeader}
	h.decoder = hpack.NewDecoder(tableSize, h.addField)
	h.decoder.SetMaxStringLength(maxHeader)
	return h
}

func (h *headerReader) reset() { h.request, h.size, h.block = Request{}, 0, 0 }

// addField keeps the fields that Request has. It ignores scheme and authority: the Admin SDK for
// Node sends the scheme "https:", and Google accepts it.
func (h *headerReader) addField(f hpack.HeaderField) {
	h.size += int(f.Size())
	switch f.Name {
	case ":method":
		h.request.Method = f.Value
	case ":path":
		h.request.Path = f.Value
	case "authorization":
		h.request.Authorization = f.Value
	}
}

// read decodes a part of the block. Its error ends the connection.
func (h *headerReader) read(part []byte, last bool) error {
	h.block += len(part)
	if h.block > 2*h.max {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	if _, err := h.decoder.Write(part); err != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	if last && h.decoder.Close() != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	return nil
}

// finish returns the request, or the error code to reset its stream with.
func (h *headerReader) finish() (Request, http2.ErrCode) {
	r := h.request
	if h.size > h.max {
		return r, http2.ErrCodeEnhanceYourCalm
	}
	if r.Method == "" || r.Path == "" {
		return r, http2.ErrCodeProtocol
	}
	r.Path, _, _ = strings.Cut(r.Path, "?")
	if strings.Contains(r.Path, "%") {
		path, err := url.PathUnescape(r.Path)
		if err != nil {
			return r, http2.ErrCodeProtocol
		}
		r.Path = path
	}
	return r, http2.ErrCodeNo
}
