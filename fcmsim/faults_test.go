package fcmsim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fanfare/fcmsim"

	"golang.org/x/net/http2"
)

func always(code fcmsim.Code, delivered float64) fcmsim.Options {
	return fcmsim.Options{Rules: fcmsim.Rules{Outcomes: []fcmsim.Outcome{{Code: code, Share: 1, Delivered: delivered}}}}
}

// waitFor polls until the counts are as wanted.
func (r *rig) waitFor(t *testing.T, what string, reached func(fcmsim.Counts) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !reached(r.Counts()) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waiting for %s: %+v", what, r.Counts())
		}
	}
}

// A stream that is reset leaves the connection to the others.
func TestResetEndsTheStreamAlone(t *testing.T) {
	tests := []struct {
		name     string
		options  fcmsim.Options
		token    string
		accepted int64
	}{
		{"before read", always(fcmsim.CodeResetBeforeRead, 1), "t", 0},
		{"after read, not delivered", always(fcmsim.CodeResetAfterRead, 0), "t", 0},
		{"after read, delivered", always(fcmsim.CodeResetAfterRead, 1), "t", 1},
		{"by prefix", fcmsim.Options{}, "reset-t", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.options)
			for range 3 {
				res, err := r.request(t.Context(), toToken(tt.token))
				if err == nil {
					t.Fatalf("answered: %+v", readReply(t, res))
				}
				if !strings.Contains(err.Error(), "INTERNAL_ERROR; received from peer") {
					t.Errorf("ended by %v", err)
				}
			}
			c := r.Counts()
			if c.Accepted != 3*tt.accepted || c.Connections.TLS != 1 || c.Requests != 3 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

// A closed connection ends all of its streams.
func TestCloseEndsAllStreams(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	name(t, r.post(t, toToken("warm"))) // one connection for all that follows
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			if res, err := r.request(t.Context(), toToken("hang-t")); err == nil {
				t.Errorf("a hanging request was answered: %+v", readReply(t, res))
			}
		})
	}
	r.waitFor(t, "three in flight", func(c fcmsim.Counts) bool { return c.InFlight == 3 })
	_, err := r.request(t.Context(), toToken("close-t"))
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Errorf("ended by %v", err)
	}
	others.Wait()
	r.waitFor(t, "no connection", func(c fcmsim.Counts) bool { return c.Connections.Open == 0 })
	if c := r.Counts(); c.Accepted != 2 || c.Codes["CLOSE_AFTER_READ"] != 1 || c.Connections.TLS != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestCloseBeforeReadAcceptsNothing(t *testing.T) {
	r := newRig(t, always(fcmsim.CodeCloseBeforeRead, 1))
	if res, err := r.request(t.Context(), toToken("t")); err == nil {
		t.Errorf("answered: %+v", readReply(t, res))
	}
	if c := r.Counts(); c.Accepted != 0 || c.Codes["CLOSE_BEFORE_READ"] == 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestHangEndsWithTheSender(t *testing.T) {
	tests := []struct {
		token    string
		accepted int64
	}{{"hang-t", 0}, {"lost-t", 1}}
	for _, tt := range tests {
		t.Run(tt.token, func(t *testing.T) {
			r := newRig(t, fcmsim.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			var sender sync.WaitGroup
			sender.Go(func() {
				if _, err := r.request(ctx, toToken(tt.token)); !errors.Is(err, context.Canceled) {
					t.Errorf("ended by %v", err)
				}
			})
			r.waitFor(t, "the request", func(c fcmsim.Counts) bool { return c.Codes["HANG"] == 1 })
			cancel()
			sender.Wait()
			r.waitFor(t, "its end", func(c fcmsim.Counts) bool { return c.Abandoned == 1 && c.InFlight == 0 })
			if c := r.Counts(); c.Accepted != tt.accepted {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

func TestSlowResponseIsAbandonedWhenTheSenderLeaves(t *testing.T) {
	r := newRig(t, fcmsim.Options{Rules: fcmsim.Rules{Latency: fcmsim.Fixed(time.Hour)}})
	ctx, cancel := context.WithCancel(t.Context())
	var sender sync.WaitGroup
	sender.Go(func() { _, _ = r.request(ctx, toToken("t")) })
	r.waitFor(t, "acceptance", func(c fcmsim.Counts) bool { return c.Accepted == 1 })
	cancel()
	sender.Wait()
	r.waitFor(t, "its end", func(c fcmsim.Counts) bool { return c.Abandoned == 1 })
}

func TestUnreadableResponses(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	res, err := r.request(t.Context(), toToken("truncated-t"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if _, reset := errors.AsType[http2.StreamError](err); res.StatusCode != http.StatusOK || err == nil && !reset || len(body) == 0 {
		t.Errorf("%d %q %v", res.StatusCode, body, err)
	}
	if c := r.Counts(); c.Accepted != 1 || c.Codes["TRUNCATED"] != 1 {
		t.Errorf("counts %+v", c)
	}
}

// HTTP/1.1 has no streams, so a reset ends the connection without a response.
func TestResetOverHTTP1(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for token, code := range map[string]string{"reset-t": "RESET_AFTER_READ", "close-t": "CLOSE_AFTER_READ"} {
		_, err := client.Post(r.srv.URLs.HTTP+"/projects/demo/messages:send", "application/json", strings.NewReader(toToken(token)))
		if err == nil {
			t.Errorf("%s was answered", token)
		}
		if c := r.Counts(); c.Codes[code] != 1 {
			t.Errorf("%s: counts %+v", token, c)
		}
	}
}
