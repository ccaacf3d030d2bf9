package fcmsim

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// AdminHandler serves the admin API:
//
//	GET, PUT, DELETE /admin/rules           the rules as JSON; DELETE removes all of them
//	GET, PUT, DELETE /admin/timeline        the timeline that is played, 404 if none; DELETE stops it where it is
//	GET              /admin/counts          Counts as JSON
//	GET              /admin/trace           Trace as JSON
//	GET              /admin/ledger          every Entry, one JSON object a line
//	GET              /admin/ledger/{token}  the entries of one target as a JSON array, empty if there are none
//	DELETE           /admin/ledger          forgets entries and counts
func (s *Simulator) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/rules", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Rules()) })
	mux.HandleFunc("PUT /admin/rules", s.putRules)
	mux.HandleFunc("DELETE /admin/rules", func(w http.ResponseWriter, _ *http.Request) {
		s.playbook.Store(newPlaybook(Rules{}, time.Now()))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /admin/counts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Counts()) })
	mux.HandleFunc("GET /admin/trace", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Trace()) })
	mux.HandleFunc("GET /admin/timeline", s.showTimeline)
	mux.HandleFunc("PUT /admin/timeline", s.putTimeline)
	mux.HandleFunc("DELETE /admin/timeline", func(w http.ResponseWriter, _ *http.Request) {
		s.Stop()
		w.WriteHeader(http.StatusNoContent)
	})
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
	put(w, r, ParseRules, s.SetRules)
}

func (s *Simulator) putTimeline(w http.ResponseWriter, r *http.Request) {
	put(w, r, ParseTimeline, s.Play)
}

// put reads a value and sets it.
func put[T any](w http.ResponseWriter, r *http.Request, parse func([]byte) (T, error), set func(T) error) {
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
	timeline, began, playing := s.Playing()
	if !playing {
		http.Error(w, "no timeline is played", http.StatusNotFound)
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
