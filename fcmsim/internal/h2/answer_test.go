package h2

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

const okHead = " headers :status=200 content-type=text/plain content-length="

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestAnswersKeepTheStreamsApart(t *testing.T) {
	s := &testHandler{}
	p := dial(t, s, Options{})
	p.head(1, "/a?x=1", false)
	p.head(3, "/b%3Ac", false)
	p.must(p.WriteData(1, false, []byte("one ")))
	p.must(p.WriteData(3, true, []byte("three")))
	p.must(p.WriteDataPadded(1, true, []byte("and on"), make([]byte, 9)))
	p.head(5, "/none", true)
	equal(t, p.awaitFrames(6), "3"+okHead+"4", `3 data "/b:c" end`, "1"+okHead+"2", `1 data "/a" end`, "5"+okHead+"5", `5 data "/none" end`)
	if s.bodies["/a"] != "one and on" || s.bodies["/b:c"] != "three" {
		t.Errorf("bodies %q", s.bodies)
	}
	equal(t, s.awaitEnds(3), "/b:c answered", "/a answered", "/none answered")
}

// The Admin SDK for Node sends this scheme; Google accepts it.
func TestAnySchemeIsAccepted(t *testing.T) {
	p := dial(t, &testHandler{}, Options{})
	p.scheme = "https:"
	p.head(1, "/a", true)
	equal(t, p.awaitFrames(1), "1"+okHead+"2")
}

func TestHeadersContinueInContinuations(t *testing.T) {
	p := dial(t, &testHandler{}, Options{})
	block := p.encode("/a", "x", strings.Repeat("v", 3000))
	p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:10], EndStream: true}))
	p.must(p.WriteContinuation(1, false, block[10:1000]))
	p.must(p.WriteContinuation(1, true, block[1000:]))
	equal(t, p.awaitFrames(2), "1"+okHead+"2", `1 data "/a" end`)
}

func TestTrailersEndARequest(t *testing.T) {
	s := &testHandler{}
	p := dial(t, s, Options{})
	p.head(1, "/a", false)
	p.must(p.WriteData(1, false, []byte("body")))
	p.head(1, "/ignored", true)
	equal(t, p.awaitFrames(2), "1"+okHead+"2", `1 data "/a" end`)
	if s.bodies["/a"] != "body" {
		t.Errorf("bodies %q", s.bodies)
	}
}

// A peer without a header table gets no references to one.
func TestHeaderTableIsThePeers(t *testing.T) {
	p := dial(t, &testHandler{}, Options{}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	p.decoder.SetAllowedMaxDynamicTableSize(0)
	p.decoder.SetMaxDynamicTableSize(0)
	for id := uint32(1); id <= 3; id += 2 {
		p.head(id, "/a", true)
		equal(t, p.awaitFrames(2), strconv.Itoa(int(id))+okHead+"2", strconv.Itoa(int(id))+` data "/a" end`)
	}
}

func TestPingIsAnswered(t *testing.T) {
	p := dial(t, &testHandler{}, Options{})
	p.must(p.WritePing(false, [8]byte([]byte("fanfare!"))))
	equal(t, p.awaitFrames(1), "ping fanfare!")
}

// No reply is early, and a later one does not delay an earlier one.
func TestDelaysOrderTheAnswers(t *testing.T) {
	late, soon := ok("late"), ok("soon")
	late.Delay, soon.Delay = 60*time.Millisecond, 20*time.Millisecond
	p := dial(t, &testHandler{answer: map[string]Reply{"/late": late, "/soon": soon}}, Options{})
	began := time.Now()
	p.post(1, "/late", "")
	p.post(3, "/soon", "")
	p.post(5, "/now", "")
	equal(t, p.awaitFrames(4), "5"+okHead+"4", `5 data "/now" end`, "3"+okHead+"4", `3 data "soon" end`)
	if took := time.Since(began); took < soon.Delay {
		t.Errorf("after %s, want %s", took, soon.Delay)
	}
	equal(t, p.awaitFrames(2), "1"+okHead+"4", `1 data "late" end`)
	if took := time.Since(began); took < late.Delay {
		t.Errorf("after %s, want %s", took, late.Delay)
	}
}

func TestAnswerToALeftSenderIsDropped(t *testing.T) {
	soon, late := ok("soon"), ok("late")
	soon.Delay, late.Delay = 10*time.Millisecond, 30*time.Millisecond
	s := &testHandler{answer: map[string]Reply{"/soon": soon, "/late": late}}
	p := dial(t, s, Options{})
	p.post(1, "/soon", "")
	p.must(p.WriteRSTStream(1, http2.ErrCodeCancel))
	p.post(3, "/late", "")
	equal(t, p.awaitFrames(2), "3"+okHead+"4", `3 data "late" end`)
	equal(t, s.awaitEnds(2), "/soon left", "/late answered")
}

func TestFlowControlLimitsBodies(t *testing.T) {
	p := dial(t, &testHandler{answer: map[string]Reply{"/a": ok("0123456789")}}, Options{},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: 4})
	p.post(1, "/a", "")
	p.post(3, "/a", "")
	equal(t, p.awaitFrames(4), "1"+okHead+"10", `1 data "0123"`, "3"+okHead+"10", `3 data "0123"`)
	p.must(p.WriteWindowUpdate(3, 100))
	equal(t, p.awaitFrames(1), `3 data "456789" end`)
	p.must(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7}))
	equal(t, p.awaitFrames(1), `1 data "456"`)
	p.must(p.WriteWindowUpdate(1, 3))
	equal(t, p.awaitFrames(1), `1 data "789" end`)
}

func TestStreamsShareTheConnectionsWindow(t *testing.T) {
	large := ok(strings.Repeat("x", 40000))
	p := dial(t, &testHandler{answer: map[string]Reply{"/a": large}}, Options{})
	for id := uint32(1); id <= 3; id += 2 {
		p.post(id, "/a", "")
	}
	read := 0
	take := func(until int) {
		for read < until {
			f, err := p.ReadFrame()
			p.must(err)
			if data, ok := f.(*http2.DataFrame); ok {
				read += len(data.Data())
			}
		}
		if read != until {
			t.Errorf("%d bytes came, the window lets %d", read, until)
		}
	}
	take(65535)
	p.must(p.WriteWindowUpdate(0, 10))
	take(65545)
	p.must(p.WriteWindowUpdate(0, 20000))
	take(80000)
}

// Bodies use up the windows; without acknowledgements a sender has to stop.
func TestBodiesAreAcknowledged(t *testing.T) {
	p := dial(t, &testHandler{head: map[string]Reply{"/a": {Fault: FaultHang}}}, Options{MaxBody: connWindow})
	p.head(1, "/a", false)
	piece := make([]byte, 16<<10)
	want := []uint32{connWindow - 65535, connWindow/2 + 1, connWindow/2 + 1}
	var got []uint32
	for len(got) < len(want) {
		for range connWindow / 2 / len(piece) {
			p.must(p.WriteData(1, false, piece))
		}
		p.must(p.WriteData(1, false, []byte{0}))
		for more := true; more; {
			f, err := p.ReadFrame()
			p.must(err)
			if w, ok := f.(*http2.WindowUpdateFrame); ok {
				got = append(got, w.Increment)
				more = len(got) == 1 // what a connection starts with
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("acknowledged %d, want %d", got, want)
	}
}

func TestTooLargeABodyIsAnsweredEarly(t *testing.T) {
	s := &testHandler{}
	p := dial(t, s, Options{MaxBody: 10})
	p.head(1, "/a", false)
	p.must(p.WriteData(1, false, []byte("01234567")))
	p.must(p.WriteData(1, false, []byte("89!")))
	equal(t, p.awaitFrames(3), "1"+okHead+"2", `1 data "/a" end`, "1 reset NO_ERROR")
	if !s.tooLarge || s.bodies["/a"] != "" {
		t.Errorf("too large %v, body %q", s.tooLarge, s.bodies["/a"])
	}
	p.must(p.WriteData(1, true, []byte("on its way"))) // is ignored
	p.post(3, "/b", "")
	equal(t, p.awaitFrames(2), "3"+okHead+"2", `3 data "/b" end`)
}

func TestStreamsAboveTheLimitAreRefused(t *testing.T) {
	s := &testHandler{answer: map[string]Reply{"/hang": {Fault: FaultHang}}}
	p := dial(t, s, Options{Streams: 2})
	p.post(1, "/hang", "")
	p.post(3, "/hang", "")
	p.post(5, "/a", "")
	equal(t, p.awaitFrames(1), "5 reset REFUSED_STREAM")
	p.must(p.WriteRSTStream(1, http2.ErrCodeCancel))
	equal(t, s.awaitEnds(1), "/hang left")
	p.post(7, "/a", "")
	equal(t, p.awaitFrames(2), "7"+okHead+"2", `7 data "/a" end`)
}

func TestProtocolErrors(t *testing.T) {
	tests := map[string]struct {
		say  func(p *peer)
		want string
	}{
		"no path":       {func(p *peer) { p.head(1, "", true) }, "1 reset PROTOCOL_ERROR"},
		"headers' size": {func(p *peer) { p.head(1, "/a", true, "x", strings.Repeat("~", 90), "y", "~") }, "1 reset ENHANCE_YOUR_CALM"},
		"headers without end": {func(p *peer) {
			p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(strings.Repeat("\x82", 1000))}))
		}, "goaway 0 ENHANCE_YOUR_CALM"},
		"even stream":    {func(p *peer) { p.head(2, "/a", true) }, "goaway 0 PROTOCOL_ERROR"},
		"no such stream": {func(p *peer) { p.must(p.WriteData(9, true, nil)) }, "goaway 0 PROTOCOL_ERROR"},
		"compression": {func(p *peer) {
			p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0xff}, EndHeaders: true}))
		}, "goaway 0 COMPRESSION_ERROR"},
		"window": {func(p *peer) { p.must(p.WriteWindowUpdate(0, maxWindow)) }, "goaway 0 FLOW_CONTROL_ERROR"},
		"twice ended": {func(p *peer) {
			p.post(1, "/hang", "")
			p.must(p.WriteData(1, true, nil))
		}, "1 reset STREAM_CLOSED"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := dial(t, &testHandler{answer: map[string]Reply{"/hang": {Fault: FaultHang}}}, Options{MaxHeader: 300})
			tt.say(p)
			equal(t, p.awaitFrames(1), tt.want)
			if strings.HasPrefix(tt.want, "goaway") {
				if err := p.awaitEnd(); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the connection ends with %v", err)
				}
			}
		})
	}
}
