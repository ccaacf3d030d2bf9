package fcm

import (
	"testing"
	"time"

	"golang.org/x/net/http2"
)

const acceptedBody = `{"name":"projects/demo/messages/1"}`

// TestClientsAgree compares our connection with net/http's: each answer is classified alike, or by
// ours more strictly.
func TestClientsAgree(t *testing.T) {
	t.Parallel()
	for name, c := range frameAnswers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for client, want := range map[string]Class{ClientOwn: c.own, ClientSDK: c.sdk} {
				srv := serveFrames(t, c.answer)
				srv.options.Client, srv.options.Timeout = client, time.Minute
				a := newSender(t, srv.options).Send(t.Context(), body("token"), to("token"))
				if a.Class != want {
					t.Errorf("%s: got %s (%s), want %s", client, a.Class, a.Detail, want)
				}
				if n := srv.requests.Load(); n != 1 {
					t.Errorf("%s: %d requests on the wire, want 1", client, n)
				}
			}
		})
	}
}

// frameAnswer is what a server sends, and what it means over each connection.
type frameAnswer struct {
	answer   func(fr *http2.Framer, id uint32) (stay bool)
	own, sdk Class
}

func frameAnswers() map[string]frameAnswer {
	alike := func(want Class, answer func(fr *http2.Framer, id uint32) bool) frameAnswer {
		return frameAnswer{answer, want, want}
	}
	success := func(pairs ...string) func(fr *http2.Framer, id uint32) bool {
		return func(fr *http2.Framer, id uint32) bool {
			return writeHeader(fr, id, false, append([]string{":status", "200"}, pairs...)...) == nil &&
				fr.WriteData(id, true, []byte(acceptedBody)) == nil
		}
	}
	all := map[string]frameAnswer{
		"accepted":             alike(Sent, success()),
		"its length":           alike(Sent, success("content-length", "35")),
		"a shorter length":     alike(Ambiguous, success("content-length", "5")),
		"a longer length":      alike(Ambiguous, success("content-length", "100")),
		"a name in upper case": alike(Ambiguous, success("X-Upper", "1")),
		"a value with a line":  alike(Ambiguous, success("x", "a\r\nb")),
		// net/http takes what RFC 9113 forbids (sections 8.2.2 and 8.3.2).
		"a field of HTTP/1.1": {success("connection", "close"), Ambiguous, Sent},
		"a signed status": {func(fr *http2.Framer, id uint32) bool {
			return writeHeader(fr, id, false, ":status", "+200") == nil && fr.WriteData(id, true, []byte(acceptedBody)) == nil
		}, Ambiguous, Sent},
		"a trailer with a line": alike(Ambiguous, func(fr *http2.Framer, id uint32) bool {
			return writeHeader(fr, id, false, ":status", "200") == nil && fr.WriteData(id, false, []byte(acceptedBody)) == nil &&
				writeHeader(fr, id, true, "x", "a\nb") == nil
		}),
		"no end": alike(Ambiguous, func(fr *http2.Framer, id uint32) bool {
			return writeHeader(fr, id, false, ":status", "200") == nil && fr.WriteData(id, false, []byte(acceptedBody)) != nil
		}),
		"too much padding": alike(Ambiguous, func(fr *http2.Framer, id uint32) bool {
			return fr.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, id, []byte{255, 0x88}) == nil
		}),
		// The server names the last request that it processes, whatever its reason. net/http
		// believes only a GOAWAY without an error.
		"GOAWAY with an error before the stream": {func(fr *http2.Framer, id uint32) bool {
			return fr.WriteGoAway(id-1, http2.ErrCodeEnhanceYourCalm, nil) != nil
		}, NotSent, Ambiguous},
	}
	for code := range http2.ErrCode(14) {
		want := Ambiguous
		if code == http2.ErrCodeRefusedStream {
			want = NotSent
		}
		all["reset "+code.String()] = alike(want, func(fr *http2.Framer, id uint32) bool { return fr.WriteRSTStream(id, code) == nil })
	}
	return all
}

// The longest wait that the server asks for counts.
func TestTwoRetryAfterFields(t *testing.T) { withEachClient(t, testTwoRetryAfterFields) }

func testTwoRetryAfterFields(t *testing.T, base Options) {
	for _, values := range [][]string{{"60", "1"}, {"1", "60"}} {
		srv := serveFrames(t, func(fr *http2.Framer, id uint32) bool {
			return writeHeader(fr, id, true, ":status", "503", "retry-after", values[0], "retry-after", values[1]) == nil
		})
		srv.options.Client = base.Client
		if a := newSender(t, srv.options).Send(t.Context(), body("token"), to("token")); a.RetryAfter != time.Minute {
			t.Errorf("%q: wait %s, want a minute", values, a.RetryAfter)
		}
	}
}
