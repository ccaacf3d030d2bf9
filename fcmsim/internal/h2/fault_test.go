package h2

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func with(fault Fault) Reply {
	r := ok("0123456789")
	r.Fault = fault
	return r
}

func TestFaultsOfAStream(t *testing.T) {
	tests := map[string]struct {
		reply Reply
		want  []string
	}{
		"truncate": {with(FaultTruncate), []string{"1" + okHead + "10", `1 data "01234"`, "1 reset INTERNAL_ERROR"}},
		"reset":    {with(FaultReset), []string{"1 reset INTERNAL_ERROR"}},
		"refuse":   {with(FaultRefuse), []string{"1 reset REFUSED_STREAM"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := &testHandler{answer: map[string]Reply{"/a": tt.reply}}
			p := dial(t, s, Options{})
			p.post(1, "/a", "")
			equal(t, p.awaitFrames(len(tt.want)), tt.want...)
			equal(t, s.awaitEnds(1), "/a answered")
			p.post(3, "/b", "") // the connection is left to the others
			equal(t, p.awaitFrames(2), "3"+okHead+"2", `3 data "/b" end`)
		})
	}
}

// A fault that HandleHeaders returns does not wait for the body, and leaves it unread.
func TestFaultBeforeTheBody(t *testing.T) {
	s := &testHandler{head: map[string]Reply{"/reset": with(FaultReset), "/answer": with(FaultNone)}}
	p := dial(t, s, Options{})
	p.head(1, "/reset", false)
	equal(t, p.awaitFrames(1), "1 reset INTERNAL_ERROR")
	p.must(p.WriteData(1, true, []byte("on its way")))
	p.head(3, "/answer", false)
	equal(t, p.awaitFrames(3), "3"+okHead+"10", `3 data "0123456789" end`, "3 reset NO_ERROR")
	if len(s.bodies) != 0 {
		t.Errorf("bodies were read: %q", s.bodies)
	}
}

func TestHangEndsWithTheConnection(t *testing.T) {
	s := &testHandler{answer: map[string]Reply{"/hang": with(FaultHang)}}
	p := dial(t, s, Options{})
	p.post(1, "/hang", "")
	p.post(3, "/a", "")
	p.awaitFrames(2)
	p.must(p.conn.Close())
	equal(t, s.awaitEnds(2), "/a answered", "/hang left")
}

func TestTrickleSpreadsTheBody(t *testing.T) {
	reply := with(FaultTrickle)
	reply.Delay = 80 * time.Millisecond
	p := dial(t, &testHandler{answer: map[string]Reply{"/a": reply}}, Options{})
	began := time.Now()
	p.post(1, "/a", "")
	equal(t, p.awaitFrames(1), "1"+okHead+"10")
	if took := time.Since(began); took >= reply.Delay {
		t.Errorf("the headers came after %s", took)
	}
	var pieces []string
	for len(pieces) < 10 {
		pieces = append(pieces, p.awaitFrames(1)...)
	}
	if took := time.Since(began); took < reply.Delay {
		t.Errorf("the body came within %s", took)
	}
	equal(t, pieces, `1 data "0"`, `1 data "1"`, `1 data "2"`, `1 data "3"`, `1 data "4"`,
		`1 data "5"`, `1 data "6"`, `1 data "7"`, `1 data "8"`, `1 data "9" end`)
}

// All streams received before are answered, none after is processed, and then the connection ends
// in order.
func TestGoAwayAfterAnswersStreamsInFlight(t *testing.T) {
	slow := ok("slow")
	slow.Delay = 30 * time.Millisecond
	s := &testHandler{answer: map[string]Reply{"/slow": slow, "/retire": with(FaultGoAwayAfter)}}
	p := dial(t, s, Options{})
	p.post(1, "/slow", "")
	p.post(3, "/retire", "")
	p.post(5, "/after", "")
	equal(t, p.awaitFrames(5), "goaway 3 NO_ERROR", "3"+okHead+"10", `3 data "0123456789" end`, "1"+okHead+"4", `1 data "slow" end`)
	answered := time.Now()
	if err := p.awaitEnd(); !errors.Is(err, io.EOF) || time.Since(answered) >= lingerTimeout {
		t.Errorf("the connection ends with %v after %s", err, time.Since(answered))
	}
	if _, read := s.bodies["/after"]; read {
		t.Error("a request after GOAWAY was read")
	}
}

func TestGoAwayBeforeNamesTheLastStreamRead(t *testing.T) {
	slow, away := ok("slow"), with(FaultGoAwayBefore)
	slow.Delay, away.Delay = 40*time.Millisecond, 10*time.Millisecond
	s := &testHandler{answer: map[string]Reply{"/slow": slow}, head: map[string]Reply{"/away": away}}
	p := dial(t, s, Options{})
	p.post(1, "/slow", "")
	p.post(3, "/away", "")
	p.post(5, "/after", "") // within the delay, when GOAWAY is not sent yet
	equal(t, p.awaitFrames(3), "goaway 1 NO_ERROR", "1"+okHead+"4", `1 data "slow" end`)
	if err := p.awaitEnd(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection ends with %v", err)
	}
	equal(t, s.awaitEnds(2), "/away answered", "/slow answered")
	if len(s.bodies) != 1 {
		t.Errorf("read: %q", s.bodies)
	}
}

// A stream with a higher number is excluded although it was read before the GOAWAY.
func TestGoAwayBeforeOnceRead(t *testing.T) {
	away := with(FaultGoAwayBefore)
	away.Delay = 10 * time.Millisecond
	s := &testHandler{answer: map[string]Reply{"/away": away, "/hang": with(FaultHang)}}
	p := dial(t, s, Options{})
	p.head(1, "/away", false)
	p.post(3, "/hang", "")
	p.must(p.WriteData(1, true, nil))
	equal(t, p.awaitFrames(1), "goaway 0 NO_ERROR")
	equal(t, s.awaitEnds(2), "/away answered", "/hang left")
}

func TestAbortResetsTheConnection(t *testing.T) {
	s := &testHandler{answer: map[string]Reply{"/hang": with(FaultHang)}, head: map[string]Reply{"/cut": with(FaultAbort)}}
	p := dial(t, s, Options{})
	p.post(1, "/hang", "")
	p.head(3, "/cut", false)
	if err := p.awaitEnd(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ends with %v", err)
	}
	equal(t, s.awaitEnds(2), "/cut answered", "/hang left")
}

func TestCloseNamesTheLastStream(t *testing.T) {
	s := &testHandler{answer: map[string]Reply{"/hang": with(FaultHang)}}
	p := dial(t, s, Options{})
	p.post(1, "/hang", "")
	p.post(3, "/a", "")
	p.awaitFrames(2)
	p.server.Close()
	equal(t, p.awaitFrames(1), "goaway 3 NO_ERROR")
	if err := p.awaitEnd(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection ends with %v", err)
	}
	equal(t, s.awaitEnds(2), "/a answered", "/hang left")
}

// A peer that reads nothing delays its own replies, and Close only for a moment.
func TestCloseDoesNotWaitForAPeerThatDoesNotRead(t *testing.T) {
	large := ok(strings.Repeat("x", 32<<20)) // far more than the system's buffers hold
	s := &testHandler{answer: map[string]Reply{"/large": large}}
	p := dial(t, s, Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: maxWindow})
	p.must(p.WriteWindowUpdate(0, maxWindow-65535))
	p.post(1, "/large", "")
	s.awaitEnds(1)
	p.server.Close()
}
