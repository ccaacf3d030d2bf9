package bench

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// The simulator's admin API.

// ask reads a JSON value.
func (s *simulator) ask(path string, into any) {
	s.b.Helper()
	s.read(path, func(reply io.Reader) error { return json.NewDecoder(reply).Decode(into) })
}

// read has the reply to a GET read.
func (s *simulator) read(path string, read func(io.Reader) error) {
	s.b.Helper()
	reply, err := http.Get(s.Admin + path)
	if err != nil {
		s.b.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		s.b.Fatalf("GET %s of the simulator: %s", path, reply.Status)
	}
	if err := read(reply.Body); err != nil {
		s.b.Fatalf("read %s of the simulator: %v", path, err)
	}
}

// send changes something.
func (s *simulator) send(method, path, body string) {
	s.b.Helper()
	request, err := http.NewRequestWithContext(s.b.Context(), method, s.Admin+path, strings.NewReader(body))
	if err != nil {
		s.b.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		s.b.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusNoContent {
		s.b.Fatalf("%s %s of the simulator: %s", method, path, reply.Status)
	}
}

// forget clears the simulator's ledger, counts and trace.
func (w *world) forget() { w.sim.send(http.MethodDelete, "/ledger", "") }

// putRules replaces the simulator's rules.
func (w *world) putRules(rules string) { w.sim.send(http.MethodPut, "/rules", rules) }
