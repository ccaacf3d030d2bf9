package fcmsim_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fanfare/fcmsim"
)

func TestPlainListenerSpeaksBothProtocols(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	for major, set := range map[int]func(*http.Protocols){
		1: func(p *http.Protocols) { p.SetHTTP1(true) },
		2: func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
	} {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		set(transport.Protocols)
		res, err := (&http.Client{Transport: transport}).Post(r.srv.URLs.HTTP+"/projects/demo/messages:send", "application/json", strings.NewReader(toToken("t")))
		if err != nil {
			t.Fatal(err)
		}
		if got := readReply(t, res); got.status != http.StatusOK || got.proto != major {
			t.Errorf("HTTP/%d: %d over HTTP/%d", major, got.status, got.proto)
		}
		transport.CloseIdleConnections()
	}
	if c := r.Counts(); c.Connections.Plain != 2 || c.Connections.TLS != 0 {
		t.Errorf("counts %+v", c)
	}
}

// The 101st request needs a second connection.
func TestConnectionTakesAHundredStreams(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	name(t, r.post(t, toToken("warm"))) // the client learns the limit from the server's settings
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for range 101 {
		senders.Go(func() { _, _ = r.request(ctx, toToken("hang-t")) })
	}
	r.waitFor(t, "all in flight", func(c fcmsim.Counts) bool { return c.InFlight == 101 })
	if c := r.Counts(); c.Connections.TLS != 2 || c.Connections.Open != 2 || c.MaxInFlight != 101 {
		t.Errorf("counts %+v", c)
	}
	cancel()
	senders.Wait()
}

func TestCloseEndsHangingRequests(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	var sender sync.WaitGroup
	sender.Go(func() {
		if res, err := r.request(t.Context(), toToken("hang-t")); err == nil {
			t.Errorf("answered: %+v", readReply(t, res))
		}
	})
	r.waitFor(t, "the request", func(c fcmsim.Counts) bool { return c.InFlight == 1 })
	if err := errors.Join(r.srv.Close(), r.srv.Close()); err != nil {
		t.Error(err)
	}
	sender.Wait()
	if _, err := os.Stat(r.srv.CAFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary CA file is left: %v", err)
	}
}

func TestServerEndsWithItsContext(t *testing.T) {
	sim, err := fcmsim.New(fcmsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	srv, err := sim.Start(ctx, fcmsim.Listen{CAFile: ca, HTTP: fcmsim.Off, Admin: fcmsim.Off})
	if err != nil {
		t.Fatal(err)
	}
	if srv.URLs.HTTP != "" || srv.URLs.Admin != "" || srv.CAFile != ca || !strings.HasPrefix(srv.URLs.Token, "https://") {
		t.Errorf("server %+v", srv.URLs)
	}
	client := newClient(t, ca)
	cancel()
	if err := srv.Close(); err != nil { // waits for the end that the context started
		t.Error(err)
	}
	if _, err := client.Get(srv.URLs.TLS); err == nil {
		t.Error("it still answers")
	}
	if _, err := os.Stat(ca); err != nil {
		t.Errorf("a CA file that was asked for is gone: %v", err)
	}
}

func TestStartNamesTheListenerThatFails(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	taken := strings.TrimSuffix(strings.TrimPrefix(r.srv.URLs.HTTP, "http://"), "/v1")
	for listener, l := range map[string]fcmsim.Listen{
		"TLS":       {TLS: taken},
		"HTTP":      {HTTP: taken},
		"admin API": {Admin: taken},
		"CA file":   {CAFile: filepath.Join(t.TempDir(), "missing", "ca.pem")},
	} {
		if _, err := r.Start(t.Context(), l); err == nil || !strings.Contains(err.Error(), listener) {
			t.Errorf("%s: %v", listener, err)
		}
	}
}
