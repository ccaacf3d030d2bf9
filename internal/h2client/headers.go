package h2client

import (
	"errors"
	"fmt"
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
	status      int
	length      int // of the body; -1: unknown
	retryAfter  []string
	contentType string
	regular     bool // a field that is no pseudo-header field has come
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
		h.id, h.end, h.size, h.fields, h.got, h.bad = id, end, 0, 0, responseHeader{length: -1}, nil
	}
	if len(fragment) == 0 && !whole {
		return r.countIdle()
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
	return r.receiveHeader(h)
}

func (h *headerReader) emit(f hpack.HeaderField) {
	if h.fields += int(f.Size()); h.fields > maxHeaderBytes {
		h.bad = errHeaderTooLong
		return
	}
	if err := h.keep(f); err != nil {
		h.bad = err
	}
}

// keep takes a field of a response. It refuses those that make a response malformed.
func (h *headerReader) keep(f hpack.HeaderField) error {
	if f.Name == ":status" {
		return h.keepStatus(f.Value)
	}
	h.got.regular = true
	if !isFieldValue(f.Value) {
		return fmt.Errorf("%w: value of %q", errMalformed, f.Name)
	}
	switch f.Name {
	case "content-type":
		h.got.contentType = f.Value
	case "content-length":
		return h.keepLength(f.Value)
	case "retry-after":
		h.got.retryAfter = append(h.got.retryAfter, f.Value)
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		return fmt.Errorf("%w: %s is of HTTP/1.1", errMalformed, f.Name)
	default:
		if !isFieldName(f.Name) {
			return fmt.Errorf("%w: name %q", errMalformed, f.Name)
		}
	}
	return nil
}

func (h *headerReader) keepStatus(value string) error {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || len(value) != 3 || n < 100 || h.got.status != 0 || h.got.regular {
		return fmt.Errorf("%w: status %q", errMalformed, value)
	}
	h.got.status = int(n)
	return nil
}

func (h *headerReader) keepLength(value string) error {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || h.got.length >= 0 && h.got.length != int(n) {
		return fmt.Errorf("%w: content-length %q", errMalformed, value)
	}
	h.got.length = int(n)
	return nil
}

// receiveHeader applies a complete block: interim responses are left out, and so are trailers.
func (r *reader) receiveHeader(h *headerReader) error {
	c := r.c
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
		return r.countIdle()
	default:
		r.idle = 0
		s.answered, s.length = true, h.got.length
		if h.got.status == 204 || h.got.status == 304 {
			s.length = -1 // it says how long the body of another response would be
		}
		s.resp.Status, s.resp.RetryAfter, s.resp.ContentType = h.got.status, h.got.retryAfter, h.got.contentType
	}
	if h.end {
		return c.complete(s)
	}
	return nil
}
