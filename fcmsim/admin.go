package fcmsim

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// AdminHandler serves the admin API, which a [Server] has at URLs.Admin:
//
//   - GET, PUT, DELETE /admin/rules: the Rules as JSON; DELETE removes all of them
//   - GET, PUT, DELETE /admin/timeline: the Timeline in progress, or 404; DELETE stops it where
//     it is
//   - GET /admin/counts: Counts as JSON
//   - GET /admin/trace: Trace as JSON
//   - GET /admin/ledger: each Entry as a line of JSON
//   - GET /admin/ledger/{target}: the entries of one target as a JSON array, which may be empty
//   - GET /admin/devices/{address}: the entries of all addresses of a device, in the same way
//   - DELETE /admin/ledger: forgets entries, counts and arrivals
//
// PUT and DELETE answer 204. A PUT that is not valid answers 400 with the problem as text, and
// changes nothing.
func (s *Simulator) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/rules", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Rules()) })
	mux.HandleFunc("PUT /admin/rules", s.putRules)
	mux.HandleFunc("DELETE /admin/rules", func(w http.ResponseWriter, _ *http.Request) {
		s.active.Store(newRuleset(Rules{}, time.Now()))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /admin/counts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Counts()) })
	mux.HandleFunc("GET /admin/trace", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Trace()) })
	mux.HandleFunc("GET /admin/timeline", s.showTimeline)
	mux.HandleFunc("PUT /admin/timeline", s.putTimeline)
	mux.HandleFunc("DELETE /admin/timeline", func(w http.ResponseWriter, _ *http.Request) {
		s.StopTimeline()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /admin/ledger", s.dumpLedger)
	mux.HandleFunc("GET /admin/ledger/{target...}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, append([]Entry{}, s.EntriesOf(r.PathValue("target"))...))
	})
	mux.HandleFunc("GET /admin/devices/{address...}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, append([]Entry{}, s.EntriesOfDevice(r.PathValue("address"))...))
	})
	mux.HandleFunc("DELETE /admin/ledger", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearLedger()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func (s *Simulator) putRules(w http.ResponseWriter, r *http.Request) {
	putValue(w, r, ParseRules, s.SetRules)
}

func (s *Simulator) putTimeline(w http.ResponseWriter, r *http.Request) {
	putValue(w, r, ParseTimeline, s.PlayTimeline)
}

// putValue parses the body and sets the value.
func putValue[T any](w http.ResponseWriter, r *http.Request, parse func([]byte) (T, error), set func(T) error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var value T
	if err == nil {
		value, err = parse(data)
	}
	if err == nil {
		err = set(value)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) showTimeline(w http.ResponseWriter, _ *http.Request) {
	timeline, began, playing := s.Timeline()
	if !playing {
		http.Error(w, "no timeline in progress", http.StatusNotFound)
		return
	}
	writeJSON(w, struct {
		Timeline
		Began time.Time `json:"began"`
	}{timeline, began})
}

func (s *Simulator) dumpLedger(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for entry := range s.Ledger() {
		if enc.Encode(entry) != nil {
			return // the client has left
		}
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // only a client that left makes this fail
}

// adminWriteTimeout is long enough for a large ledger.
const adminWriteTimeout = 5 * time.Minute

// requireLocalHost refuses requests whose Host header is not a name of this listener. It stops DNS
// rebinding: a web page whose name resolves to this machine sends its own name.
func requireLocalHost(addr net.Addr, configured string, h http.Handler) http.Handler {
	own, _, err := net.SplitHostPort(configured)
	if err != nil {
		own = ""
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := stripPort(r.Host); !isLocal(host) && !strings.EqualFold(host, own) && !isListenerAddress(host, addr) {
			http.Error(w, "the admin API accepts only a loopback name or the host that it listens on", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// stripPort returns a Host header without its port and brackets.
func stripPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// isListenerAddress reports whether the host is an IP address of the listener, or any address if it
// listens on all. A web page has a name instead.
func isListenerAddress(host string, addr net.Addr) bool {
	ip := net.ParseIP(host)
	tcp, _ := addr.(*net.TCPAddr)
	return ip != nil && tcp != nil && (tcp.IP.IsUnspecified() || tcp.IP.Equal(ip))
}
