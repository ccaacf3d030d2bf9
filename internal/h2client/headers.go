package h2client

import (
	"errors"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// headerReader decodes the header fields of responses. It keeps only those of a Response.
type headerReader struct {
	decoder *hpack.Decoder
	id      uint32
	end     bool // the frame ends the stream
	size    int  // of the block so far, compressed
	fields  int  // and not
	got     responseHeader
	bad     error // what is wrong with the fields
}

// responseHeader are the fields that are kept.
type responseHeader struct {
	status                  int
	retryAfter, contentType string
	regular                 bool // a field that is no pseudo-header field has come
}

// init prepares an empty reader. The decoder keeps a reference to it.
func (h *headerReader) init() {
	h.decoder = hpack.NewDecoder(4096, h.emit)
	h.decoder.SetMaxStringLength(maxHeaderBytes)
}

var errHeaderTooLong = errors.New("header fields are too long")

// handleHeader takes a fragment of a block. The block must be decoded in any case, because it
// changes the table.
func (r *reader) handleHeader(id uint32, fragment []byte, whole, end, first bool) error {
	h := &r.header
	if first {
		h.id, h.end, h.size, h.fields, h.got, h.bad = id, end, 0, 0, responseHeader{}, nil
	}
	if h.size += len(fragment); h.size > maxHeaderBytes {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	if _, err := h.decoder.Write(fragment); err != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	if !whole {
		return nil
	}
	if err := h.decoder.Close(); err != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	return r.c.receiveHeader(h)
}

func (h *headerReader) emit(f hpack.HeaderField) {
	if h.fields += int(f.Size()); h.fields > maxHeaderBytes {
		h.bad = errHeaderTooLong
		return
	}
	switch f.Name {
	case ":status":
		n, err := strconv.Atoi(f.Value)
		if err != nil || n < 100 || n > 999 || h.got.status != 0 || h.got.regular {
			h.bad = errors.New("bad status field")
		}
		h.got.status = n
		return
	case "retry-after":
		h.got.retryAfter = f.Value
	case "content-type":
		h.got.contentType = f.Value
	}
	if f.IsPseudo() {
		h.bad = errors.New("unknown pseudo-header field " + f.Name)
	}
	h.got.regular = true
}

// receiveHeader applies a complete block: interim responses are left out, and so are trailers.
func (c *Conn) receiveHeader(h *headerReader) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[h.id]
	malformed := func(err error) error {
		return http2.StreamError{StreamID: h.id, Code: http2.ErrCodeProtocol, Cause: err}
	}
	switch {
	case s == nil:
		return c.checkKnown(h.id)
	case h.bad != nil:
		return malformed(h.bad)
	case s.answered && (!h.end || h.got.status != 0):
		return malformed(errors.New("second header fields"))
	case s.answered: // trailers
	case h.got.status == 0:
		return malformed(errors.New("no status field"))
	case h.got.status < 200:
		if h.end || h.got.status == 101 {
			return malformed(errors.New("interim response at the end"))
		}
		return nil
	default:
		s.answered = true
		s.resp.Status, s.resp.RetryAfter, s.resp.ContentType = h.got.status, h.got.retryAfter, h.got.contentType
	}
	if h.end {
		c.complete(s)
	}
	return nil
}
