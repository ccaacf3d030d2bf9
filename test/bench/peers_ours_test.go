package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The parts that measure the dispatcher alone.
const (
	partMemory      = "memory"
	partConnections = "connections"
	partLatency     = "latency"
)

// peakMemory is that of a dispatcher with 1,000 in flight, which must not grow with the audience.
func peakMemory(b *testing.B) (all []memory) {
	if !isChosen(partMemory) {
		return nil
	}
	w := newPeerWorld(b, "0s")
	for _, n := range []int{shortened(100_000), shortened(1_000_000)} {
		w.reset()
		w.campaign(peerCampaign, n)
		w.forget()
		e := w.measure(startJob(w, setting{InFlight: 1000}, n), int64(n))
		all = append(all, memory{Recipients: n, Peak: mebibytes(e.usage.peak)})
		fmt.Printf("\npeak memory for %d recipients, 1,000 in flight: %.1f MiB, in %.0f s\n", n, mebibytes(e.usage.peak), e.usage.took.Seconds())
	}
	return all
}

// dialed are the TLS connections of a dispatcher with 1,000 in flight, of 50 ms each.
func dialed(b *testing.B) *connections {
	if !isChosen(partConnections) {
		return nil
	}
	n := shortened(60_000)
	in := setting{InFlight: 1000}
	w := newPeerWorld(b, "50ms")
	f := w.try(senders[0], in, n)
	c := &connections{InFlight: in.InFlight, Dialed: f.Dialed, MaxInFlight: w.counts().MaxInFlight}
	fmt.Printf("\n%d TLS connections dialed for %d in flight (at most %d at a time)\n", c.Dialed, c.InFlight, c.MaxInFlight)
	return c
}

// addedLatency is what the dispatcher and the machine add to the simulator's 50 ms, when the pace
// is that of FCM's whole quota. It comes from the traces of a twentieth of the recipients.
func addedLatency(b *testing.B) *latency {
	if !isChosen(partLatency) {
		return nil
	}
	const (
		answers = 50 * time.Millisecond
		warmUp  = 2 * time.Second
		lasts   = 12 * time.Second
	)
	n := int(paced * fullQuota / 60 * lasts.Seconds())
	w := newPeerWorld(b, answers.String())
	spans := collectSpans(b, "send")
	w.campaign(peerCampaign, n)
	w.forget()
	e := w.measure(w.job(peerCampaign, "FANFARE_DISPATCHER_CONCURRENCY=1000", "FANFARE_PACING_PER_MINUTE="+strconv.Itoa(fullQuota),
		"OTEL_EXPORTER_OTLP_ENDPOINT="+spans.url, "OTEL_TRACES_SAMPLER_ARG=0.05"), int64(n))
	added := spans.beyond(answers, warmUp)
	if len(added) < n/100 {
		b.Fatalf("%d of %d recipients were traced", len(added), n)
	}
	l := &latency{Rate: round(e.flow, 1), Samples: len(added), Median: millis(quantile(added, 0.5)), P99: millis(quantile(added, 0.99))}
	fmt.Printf("\nlatency added at %.0f pushes a second: median %.2f ms, 99%% below %.2f ms, of %d traced pushes\n", l.Rate, l.Median, l.P99, l.Samples)
	return l
}

// quantile of sorted values.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// spanTimes are when spans of one name began and how long they took, as a collector of
// OpenTelemetry gets them.
type spanTimes struct {
	url  string
	mu   sync.Mutex
	seen []spanTime
}

type spanTime struct {
	began int64 // ns since 1970
	took  time.Duration
}

// collectSpans serves OTLP over HTTP until the benchmark ends.
func collectSpans(b *testing.B, name string) *spanTimes {
	b.Helper()
	s := &spanTimes{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var export otlp
		if err := json.NewDecoder(r.Body).Decode(&export); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.add(export, name)
	}))
	b.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *spanTimes) add(export otlp, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range export.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				began, _ := span.Start.Int64() // a span without times shows as one of 1970, and fails nothing
				ended, _ := span.End.Int64()
				if span.Name == name {
					s.seen = append(s.seen, spanTime{began, time.Duration(ended - began)})
				}
			}
		}
	}
}

// beyond returns, in order, by how much the spans took longer than a duration. The first ones, of
// the warm-up, are left out.
func (s *spanTimes) beyond(d, warmUp time.Duration) (added []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		return nil
	}
	first := slices.MinFunc(s.seen, func(a, b spanTime) int { return int(a.began - b.began) }).began
	for _, span := range s.seen {
		if span.began-first >= warmUp.Nanoseconds() {
			added = append(added, span.took-d)
		}
	}
	slices.Sort(added)
	return added
}

// otlp are the parts of an export of OpenTelemetry that the benchmark reads.
type otlp struct {
	ResourceSpans []struct {
		ScopeSpans []struct {
			Spans []struct {
				Name  string      `json:"name"`
				Start json.Number `json:"startTimeUnixNano"`
				End   json.Number `json:"endTimeUnixNano"`
			} `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}
