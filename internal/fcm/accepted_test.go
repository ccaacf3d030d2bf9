package fcm

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/notification"
)

// straight is a line without a network; it keeps the request's body.
type bodyRecorder struct {
	status int
	body   []byte
}

func (s *bodyRecorder) acquire(context.Context) (transport, error) { return s, nil }
func (s *bodyRecorder) connect(context.Context) error              { return nil }
func (s *bodyRecorder) health() error                              { return nil }
func (s *bodyRecorder) release()                                   {}
func (s *bodyRecorder) close()                                     {}
func (s *bodyRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var err error
	s.body, err = io.ReadAll(req.Body)
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(`{"name":"n"}`))}, err
}

// What Parse accepts, the SDK does not refuse: else a whole campaign would fail at its first Send, and not when it was created.
func TestTheSDKTakesWhatParseAccepts(t *testing.T) {
	wire := &bodyRecorder{status: http.StatusOK}
	s := newSender(t, Options{Endpoint: "http://unused/v1"})
	s.transport.transports = wire
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(anyObject(t, messageSchema))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(notification.Message(text))
		if err != nil {
			t.Skip("refused: ", err)
		}
		e := to("token")
		e.TTL = time.Duration(rapid.Int64Range(0, int64(maxTTL)).Draw(t, "ttl"))
		if a := s.Send(context.Background(), m, e); a.Class != Sent {
			t.Fatalf("%s\nends as %s: %s", text, a.Class, a.Detail)
		}
		if !json.Valid(wire.body) || !strings.Contains(string(wire.body), `"token":"token"`) {
			t.Fatalf("on the wire: %s", wire.body)
		}
	})
}

func anyObject(t *rapid.T, s schema, needs ...string) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		f := s[name]
		sendable := f.kind != target && f.kind != unsupported && f.kind != outputOnly
		if sendable && (slices.Contains(needs, name) || rapid.Bool().Draw(t, "with "+name)) {
			out[name] = anyValue(t, name, f)
		}
	}
	return out
}

func anyValue(t *rapid.T, name string, f field) any {
	pick := func(values ...any) any { return rapid.SampledFrom(values).Draw(t, name) }
	switch f.kind {
	case boolean:
		return pick(true, false, nil)
	case integer:
		return pick(0, 1, 7, nil)
	case fraction:
		return pick(0, 0.01, 0.5, 1)
	case duration:
		return pick("0s", "1s", "3.5s", "0.000000001s", "0.100s", "2419200s")
	case timestamp:
		return pick("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.5+02:00", nil)
	case choice:
		return pick(f.values[0], f.values[len(f.values)-1], strings.ToLower(f.values[0]))
	case texts:
		return pick([]string{}, []string{"a", ""})
	case durations:
		return pick([]string{}, []string{"0.05s", "1s"})
	case stringMap:
		return pick(map[string]string{}, map[string]string{"k": "<v>"}, map[string]string{"": ""})
	case object:
		return anyObject(t, f.members, f.required...)
	case textOrObject:
		return pick("", "x", map[string]any{"title": 1}, nil)
	default:
		fits := slices.DeleteFunc([]any{"", "https://x/y", "#a0B1c2", "plain", "<é\u2028\U0001f600>"}, func(v any) bool {
			return f.check != nil && f.check(v.(string)) != ""
		})
		return pick(append(fits, nil)...)
	}
}
