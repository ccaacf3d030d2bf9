package fcmsim

import (
	"encoding/json"
	"io"
	"net/http"
)

// AdminHandler serves the admin API:
//
//	GET, PUT, DELETE /admin/rules           the rules as JSON; DELETE removes all of them
//	GET              /admin/counts          Counts as JSON
//	GET              /admin/ledger          every Entry, one JSON object a line
//	GET              /admin/ledger/{token}  the entries of one target as a JSON array, empty if there are none
//	DELETE           /admin/ledger          forgets entries and counts
func (s *Simulator) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/rules", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Rules()) })
	mux.HandleFunc("PUT /admin/rules", s.putRules)
	mux.HandleFunc("DELETE /admin/rules", func(w http.ResponseWriter, _ *http.Request) {
		s.playbook.Store(newPlaybook(Rules{}))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /admin/counts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Counts()) })
	mux.HandleFunc("GET /admin/ledger", s.dumpLedger)
	mux.HandleFunc("GET /admin/ledger/{target...}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, append([]Entry{}, s.EntriesOf(r.PathValue("target"))...))
	})
	mux.HandleFunc("DELETE /admin/ledger", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearLedger()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func (s *Simulator) putRules(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rules, err := ParseRules(data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.playbook.Store(newPlaybook(rules))
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) dumpLedger(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for entry := range s.Ledger() {
		if enc.Encode(entry) != nil {
			return // the reader has left
		}
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // only the reader's leaving can fail here
}
