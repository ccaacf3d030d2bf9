package fcmsim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/fcmsim"
)

// Go's client repeats requests that were not processed. None is lost and none is sent twice.
func TestUnprocessedRequestsAreSafelyRepeated(t *testing.T) {
	for code, share := range map[fcmsim.Code]float64{
		fcmsim.CodeGoAwayBeforeRead: 0.1,
		fcmsim.CodeGoAwayAfterRead:  0.1,
		fcmsim.CodeRefusedStream:    0.05, // the client waits a second before the second repeat
	} {
		t.Run(code.String(), func(t *testing.T) {
			const senders, each = 8, 25
			r := newRig(t, fcmsim.Options{})
			name(t, r.post(t, toToken("warm"))) // one connection for all that follows
			r.set(t, fcmsim.Rules{
				Latency:  fcmsim.Uniform(0, 5*time.Millisecond),
				Outcomes: []fcmsim.Outcome{{Code: code, Share: share}},
			})
			var group sync.WaitGroup
			for sender := range senders {
				group.Go(func() {
					for i := range each {
						res, err := r.request(t.Context(), toToken(fmt.Sprintf("t%d.%d", sender, i)))
						if err != nil {
							t.Error(err)
							return
						}
						if got := readReply(t, res); got.status != http.StatusOK {
							t.Errorf("%d %s", got.status, got.body)
						}
					}
				})
			}
			group.Wait()
			c := r.Counts()
			if c.Accepted != 1+senders*each || c.Duplicates != 0 || c.Codes[code.String()] == 0 {
				t.Errorf("counts %+v", c)
			}
			if ends := code != fcmsim.CodeRefusedStream; (c.Connections.TLS > 1) != ends {
				t.Errorf("%d connections", c.Connections.TLS)
			}
		})
	}
}

func TestTrickleOverBothProtocols(t *testing.T) {
	const delay = 2 * time.Second
	r := newRig(t, fcmsim.Options{Rules: fcmsim.Rules{
		Prefixes: map[string]fcmsim.Outcome{"trickle-": {Code: fcmsim.CodeTrickle, Latency: fcmsim.Fixed(delay)}},
	}})
	for major, client := range map[int]*http.Client{1: overHTTP1(r.client), 2: r.client} {
		began := time.Now()
		res, err := client.Post(r.srv.URLs.TLS+"/projects/demo/messages:send", "application/json", strings.NewReader(toToken("trickle-t")))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= delay || res.ProtoMajor != major {
			t.Errorf("HTTP/%d: headers over HTTP/%d after %s", major, res.ProtoMajor, took)
		}
		one := make([]byte, 1)
		if _, err := io.ReadFull(res.Body, one); err != nil || time.Since(began) >= delay {
			t.Errorf("HTTP/%d: the first piece after %s, %v", major, time.Since(began), err)
		}
		name := readReply(t, res)
		if took := time.Since(began); took < delay || !strings.Contains(name.body, "projects/demo/messages/") {
			t.Errorf("HTTP/%d: the body after %s: %s", major, took, name.body)
		}
	}
}

// overHTTP1 is a client with the same trust as another that asks for HTTP/1.1 by ALPN.
func overHTTP1(c *http.Client) *http.Client {
	transport := c.Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2, transport.TLSNextProto = false, nil
	transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
	transport.DisableKeepAlives = true // no one closes idle connections
	return &http.Client{Transport: transport}
}

// Over HTTP/1.1, too, every fault that it can express ends a request.
func TestFaultsOverHTTP1(t *testing.T) {
	tests := map[fcmsim.Code]bool{ // whether there is a response
		fcmsim.CodeRefusedStream: false, fcmsim.CodeGoAwayBeforeRead: false, fcmsim.CodeGoAwayAfterRead: true,
		fcmsim.CodeResetBeforeRead: false, fcmsim.CodeCloseBeforeRead: false, fcmsim.CodeTruncated: true,
	}
	for code, answered := range tests {
		t.Run(code.String(), func(t *testing.T) {
			r := newRig(t, always(code, 0))
			res, err := overHTTP1(r.client).Post(r.srv.URLs.TLS+"/projects/demo/messages:send", "application/json", strings.NewReader(toToken("t")))
			if (err == nil) != answered {
				t.Fatalf("ended by %v", err)
			}
			if answered {
				defer res.Body.Close()
				_, err := io.ReadAll(res.Body)
				if broken := code == fcmsim.CodeTruncated; (err != nil) != broken || !broken && !res.Close {
					t.Errorf("read: %v, close %v", err, res.Close)
				}
			}
			if c := r.Counts(); c.Codes[code.String()] == 0 || (c.Accepted > 0) != answered {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

func TestRequestThatIsTooLarge(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	large := toToken(strings.Repeat("t", 1<<20))
	for major, client := range map[int]*http.Client{1: overHTTP1(r.client), 2: r.client} {
		res, err := client.Post(r.srv.URLs.TLS+"/projects/demo/messages:send", "application/json", strings.NewReader(large))
		if err != nil {
			t.Fatal(err)
		}
		if got := readReply(t, res); got.status != http.StatusRequestEntityTooLarge || got.proto != major {
			t.Errorf("HTTP/%d: %d over HTTP/%d", major, got.status, got.proto)
		}
	}
	if c := r.Counts(); c.Accepted != 0 || c.InFlight != 0 {
		t.Errorf("counts %+v", c)
	}
}
