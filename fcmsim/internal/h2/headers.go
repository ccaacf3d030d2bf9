package h2

import (
	"net/url"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// headerReader reads one header block after another, as the compression's state needs all of them.
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

// field keeps what Request has room for. Which scheme and authority a sender names is left to itself: the Admin SDK for
// Node names the scheme "https:", and Google takes it.
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

// read takes a part of the block. Its error ends the connection.
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

// finish gives the request, or why its stream is to be reset.
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
