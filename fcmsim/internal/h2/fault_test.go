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

func with(fate Fault) Reply {
	r := ok("0123456789")
	r.Fault = fate
	return r
}

func TestFatesOfAStream(t *testing.T) {
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
			s := &script{answer: map[string]Reply{"/a": tt.reply}}
			p := dial(t, s, Options{})
			p.post(1, "/a", "")
			equal(t, p.hear(len(tt.want)), tt.want...)
			equal(t, s.ends(1), "/a answered")
			p.post(3, "/b", "") // the connection is left to the others
			equal(t, p.hear(2), "3"+okHead+"2", `3 data "/b" end`)
		})
	}
}

// A fate that is given by the headers does not wait for the body, and leaves it unread.
func TestFateBeforeTheBody(t *testing.T) {
	s := &script{head: map[string]Reply{"/reset": with(FaultReset), "/answer": with(FaultNone)}}
	p := dial(t, s, Options{})
	p.head(1, "/reset", false)
	equal(t, p.hear(1), "1 reset INTERNAL_ERROR")
	p.must(p.WriteData(1, true, []byte("on its way")))
	p.head(3, "/answer", false)
	equal(t, p.hear(3), "3"+okHead+"10", `3 data "0123456789" end`, "3 reset NO_ERROR")
	if len(s.bodies) != 0 {
		t.Errorf("bodies were read: %q", s.bodies)
	}
}

func TestHangEndsWithTheConnection(t *testing.T) {
	s := &script{answer: map[string]Reply{"/hang": with(FaultHang)}}
	p := dial(t, s, Options{})
	p.post(1, "/hang", "")
	p.post(3, "/a", "")
	p.hear(2)
	p.must(p.conn.Close())
	equal(t, s.ends(2), "/a answered", "/hang left")
}

func TestTrickleSpreadsTheBody(t *testing.T) {
	reply := with(FaultTrickle)
	reply.Delay = 80 * time.Millisecond
	p := dial(t, &script{answer: map[string]Reply{"/a": reply}}, Options{})
	began := time.Now()
	p.post(1, "/a", "")
	equal(t, p.hear(1), "1"+okHead+"10")
	if took := time.Since(began); took >= reply.Delay {
		t.Errorf("the headers came after %s", took)
	}
	var pieces []string
	for len(pieces) < 10 {
		pieces = append(pieces, p.hear(1)...)
	}
	if took := time.Since(began); took < reply.Delay {
		t.Errorf("the body came within %s", took)
	}
	equal(t, pieces, `1 data "0"`, `1 data "1"`, `1 data "2"`, `1 data "3"`, `1 data "4"`,
		`1 data "5"`, `1 data "6"`, `1 data "7"`, `1 data "8"`, `1 data "9" end`)
}

// All that came in before is answered, nothing that comes after is looked at, and then the connection ends in order.
func TestRetireAnswersWhatIsUnderWay(t *testing.T) {
	slow := ok("slow")
	slow.Delay = 30 * time.Millisecond
	s := &script{answer: map[string]Reply{"/slow": slow, "/retire": with(FaultGoAwayAfter)}}
	p := dial(t, s, Options{})
	p.post(1, "/slow", "")
	p.post(3, "/retire", "")
	p.post(5, "/after", "")
	equal(t, p.hear(5), "goaway 3 NO_ERROR", "3"+okHead+"10", `3 data "0123456789" end`, "1"+okHead+"4", `1 data "slow" end`)
	answered := time.Now()
	if err := p.hangUp(); !errors.Is(err, io.EOF) || time.Since(answered) >= lingerTimeout {
		t.Errorf("the connection ends with %v after %s", err, time.Since(answered))
	}
	if _, read := s.bodies["/after"]; read {
		t.Error("a request after GOAWAY was read")
	}
}

func TestTurnAwayNamesTheLastThatWasRead(t *testing.T) {
	slow, away := ok("slow"), with(FaultGoAwayBefore)
	slow.Delay, away.Delay = 40*time.Millisecond, 10*time.Millisecond
	s := &script{answer: map[string]Reply{"/slow": slow}, head: map[string]Reply{"/away": away}}
	p := dial(t, s, Options{})
	p.post(1, "/slow", "")
	p.post(3, "/away", "")
	p.post(5, "/after", "") // within the delay: GOAWAY is not sent, but will leave it out
	equal(t, p.hear(3), "goaway 1 NO_ERROR", "1"+okHead+"4", `1 data "slow" end`)
	if err := p.hangUp(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection ends with %v", err)
	}
	equal(t, s.ends(2), "/away answered", "/slow answered")
	if len(s.bodies) != 1 {
		t.Errorf("read: %q", s.bodies)
	}
}

// A stream that was read before its GOAWAY is left out, too, if its number is above.
func TestTurnAwayOnceRead(t *testing.T) {
	away := with(FaultGoAwayBefore)
	away.Delay = 10 * time.Millisecond
	s := &script{answer: map[string]Reply{"/away": away, "/hang": with(FaultHang)}}
	p := dial(t, s, Options{})
	p.head(1, "/away", false)
	p.post(3, "/hang", "")
	p.must(p.WriteData(1, true, nil))
	equal(t, p.hear(1), "goaway 0 NO_ERROR")
	equal(t, s.ends(2), "/away answered", "/hang left")
}

func TestCutResetsTheConnection(t *testing.T) {
	s := &script{answer: map[string]Reply{"/hang": with(FaultHang)}, head: map[string]Reply{"/cut": with(FaultAbort)}}
	p := dial(t, s, Options{})
	p.post(1, "/hang", "")
	p.head(3, "/cut", false)
	if err := p.hangUp(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ends with %v", err)
	}
	equal(t, s.ends(2), "/cut answered", "/hang left")
}

func TestCloseSaysWhatCameIn(t *testing.T) {
	s := &script{answer: map[string]Reply{"/hang": with(FaultHang)}}
	p := dial(t, s, Options{})
	p.post(1, "/hang", "")
	p.post(3, "/a", "")
	p.hear(2)
	p.server.Close()
	equal(t, p.hear(1), "goaway 3 NO_ERROR")
	if err := p.hangUp(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection ends with %v", err)
	}
	equal(t, s.ends(2), "/a answered", "/hang left")
}

// A peer that reads nothing holds up its own answers, and Close for a moment only.
func TestCloseLeavesAPeerThatDoesNotRead(t *testing.T) {
	large := ok(strings.Repeat("x", 32<<20)) // far more than the system's buffers hold
	s := &script{answer: map[string]Reply{"/large": large}}
	p := dial(t, s, Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: maxWindow})
	p.must(p.WriteWindowUpdate(0, maxWindow-65535))
	p.post(1, "/large", "")
	s.ends(1)
	p.server.Close()
}
