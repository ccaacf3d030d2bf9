package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestTraces has a collector take the traces of both daemons: each recipient's steps are in one.
func TestTraces(t *testing.T) {
	t.Parallel()
	const n = 10
	var mu sync.Mutex
	traces := make(map[string]map[string]bool) // by id, the names of the spans
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []struct{ TraceID, Name string }
				}
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, resource := range body.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					if traces[span.TraceID] == nil {
						traces[span.TraceID] = make(map[string]bool)
					}
					traces[span.TraceID][span.Name] = true
				}
			}
		}
	}))
	defer collector.Close()
	s, db := newSystem(t, servers.SystemOptions{Env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_TRACES_SAMPLER_ARG=1"}})
	s.Campaign("42", audience(n))
	responder := s.Start(nil, "responder")
	s.Job("42").ExpectExit(0)
	servers.AwaitSummary(t, db, "42", n)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
	if len(traces) != n {
		t.Errorf("%d traces, want %d", len(traces), n)
	}
	want := []string{"prepare", "recipient", "results list", "send", "wait", "write"}
	for id, spans := range traces {
		if got := slices.Sorted(maps.Keys(spans)); !slices.Equal(got, want) {
			t.Errorf("trace %s has the spans %q, want %q", id, got, want)
		}
	}
}
