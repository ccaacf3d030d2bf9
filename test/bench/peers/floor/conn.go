package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"fanfare/test/bench/peers/internal/job"
)

// conn is one connection. Only the writer writes to it, and only the reader reads.
type conn struct {
	tls    *tls.Conn
	in     *bufio.Reader
	frames *http2.Framer // of the reader
	out    bytes.Buffer  // frames that the writer has not written yet
	host   string

	mu      sync.Mutex
	changed sync.Cond // of mu: room, window, or the end
	room    int       // requests that may be sent now
	window  int       // bytes that may be sent now
	open    int       // requests without an answer
	done    bool      // the writer sends no more
	err     error     // of the writer or the reader, ends both
}

// receive is the room for answers: none of a benchmark fills it.
const receive = 1<<31 - 1

// dial opens a connection for a number of requests at a time.
func dial(j *job.Job, requests int) (*conn, error) {
	trusted, err := j.TLS()
	if err != nil {
		return nil, err
	}
	host, err := j.Host()
	if err != nil {
		return nil, err
	}
	trusted.NextProtos = []string{"h2"}
	link, err := tls.Dial("tcp", host, trusted)
	if err != nil {
		return nil, err
	}
	c := &conn{tls: link, in: bufio.NewReaderSize(link, 16<<10), host: host, room: requests, window: 65535}
	c.changed.L = &c.mu
	c.frames = http2.NewFramer(link, c.in)
	c.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.frames.SetReuseFrames()
	if _, err := link.Write([]byte(http2.ClientPreface)); err != nil {
		return nil, err
	}
	// These few frames are written one by one, before the writer begins.
	if err := c.frames.WriteSettings(http2.Setting{ID: http2.SettingEnablePush}); err != nil {
		return nil, err
	}
	if err := c.frames.WriteWindowUpdate(0, receive-65535); err != nil {
		return nil, err
	}
	f, err := c.frames.ReadFrame()
	if err != nil {
		return nil, err
	}
	if _, ok := f.(*http2.SettingsFrame); !ok {
		return nil, fmt.Errorf("the server began with %v", f.Header())
	}
	return c, c.frames.WriteSettingsAck()
}

// request is the body.
type request struct {
	Message message `json:"message"`
}

type message struct {
	Token        string       `json:"token"`
	Notification notification `json:"notification"`
	Android      android      `json:"android"`
	APNS         apns         `json:"apns"`
}

type notification struct {
	Title string `json:"title,omitempty"`
	Body  string `json:"body,omitempty"`
	Tag   string `json:"tag,omitempty"`
}

type android struct {
	Notification notification `json:"notification"`
}

type apns struct {
	Headers map[string]string `json:"headers"`
}

// write sends requests until all users have theirs.
func (c *conn) write(j *job.Job) {
	frames := http2.NewFramer(&c.out, nil)
	var block bytes.Buffer
	headers := hpack.NewEncoder(&block)
	stream := uint32(1)
	for {
		for range c.awaitRoom() {
			n, ok := j.Next()
			if !ok {
				c.finish()
				return
			}
			body := encode(n)
			if !c.reserve(len(body)) {
				return
			}
			block.Reset()
			for _, field := range []hpack.HeaderField{
				{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: c.host},
				{Name: ":path", Value: "/v1/projects/" + job.Project + "/messages:send"}, {Name: "content-type", Value: "application/json"},
				{Name: "content-length", Value: strconv.Itoa(len(body))},
			} {
				_ = headers.WriteField(field) // a buffer takes all
			}
			_ = frames.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true})
			_ = frames.WriteData(stream, true, body)
			stream += 2
		}
		if !c.flush() {
			return
		}
	}
}

func encode(n int) []byte {
	user := job.User(n)
	tag := job.Tag(user)
	body, err := json.Marshal(request{message{
		Token:        job.Token(n),
		Notification: notification{Title: job.Title, Body: job.Body},
		Android:      android{notification{Tag: tag}},
		APNS:         apns{map[string]string{"apns-collapse-id": tag}},
	}})
	if err != nil {
		panic(err) // texts cannot fail
	}
	return body
}

// awaitRoom takes all room that there is, at least for one request. It returns 0 after an error.
func (c *conn) awaitRoom() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.room == 0 && c.err == nil {
		c.changed.Wait()
	}
	if c.err != nil {
		return 0
	}
	n := c.room
	c.room = 0
	return n
}

// reserve takes room in the window, for which it writes what is ready and waits if need be. It
// reports whether the connection still works.
func (c *conn) reserve(size int) bool {
	c.mu.Lock()
	for c.window < size && c.err == nil {
		c.mu.Unlock()
		if !c.flush() {
			return false
		}
		c.mu.Lock()
		if c.window < size && c.err == nil {
			c.changed.Wait()
		}
	}
	c.window -= size
	c.open++
	working := c.err == nil
	c.mu.Unlock()
	return working
}

// flush writes what is ready in one go.
func (c *conn) flush() bool {
	if c.out.Len() > 0 {
		if _, err := c.tls.Write(c.out.Bytes()); err != nil {
			c.fail(err)
		}
		c.out.Reset()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil
}

// finish writes the rest. The connection closes with its last answer.
func (c *conn) finish() {
	c.flush()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done = true; c.open == 0 {
		c.tls.Close()
	}
}

// read takes answers until the last one. It informs the writer once for all that came together.
func (c *conn) read() error {
	answered, granted := 0, 0
	for {
		f, err := c.frames.ReadFrame()
		if err != nil {
			return c.fail(err)
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if status := f.PseudoValue("status"); status != "200" {
				return c.fail(errors.New("answered with status " + status))
			}
			if f.StreamEnded() {
				answered++
			}
		case *http2.DataFrame:
			if f.StreamEnded() {
				answered++
			}
		case *http2.WindowUpdateFrame:
			if f.StreamID == 0 {
				granted += int(f.Increment)
			}
		case *http2.SettingsFrame:
		default:
			return c.fail(fmt.Errorf("unexpected frame: %v", f.Header()))
		}
		if c.in.Buffered() == 0 && answered+granted > 0 {
			c.advance(answered, granted)
			answered, granted = 0, 0
		}
	}
}

// advance makes room for requests that were answered.
func (c *conn) advance(answered, granted int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room += answered
	c.open -= answered
	c.window += granted
	if c.done && c.open == 0 {
		c.tls.Close()
	}
	c.changed.Signal()
}

// fail ends writer and reader, and returns the first reason. There is none after the last answer.
func (c *conn) fail(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done && c.open == 0 {
		return nil
	}
	if c.err == nil {
		c.err = err
		c.tls.Close()
	}
	c.changed.Signal()
	return c.err
}
