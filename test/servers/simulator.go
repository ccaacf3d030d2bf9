package servers

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Simulator is fcmsim as a process, with its ledger of whole messages.
type Simulator struct {
	*Process
	TLS    string `json:"tls"` // an FCM endpoint
	Admin  string `json:"admin"`
	CAFile string `json:"caFile"`

	client *http.Client
}

// StartSimulator starts the simulator. When it serves, it prints its addresses as one line of JSON.
func StartSimulator(t testing.TB, programs *Programs, args ...string) *Simulator {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	s := &Simulator{
		Process: StartProcess(t, nil, programs.Path("fcmsim"), append([]string{"--ledger", "messages"}, args...)...),
		client:  &http.Client{Transport: transport},
	}
	Eventually(t, "fcmsim serves", func() bool {
		select {
		case <-s.ended:
			t.Fatalf("fcmsim ended: %s", s.Log())
		default:
		}
		return strings.HasSuffix(s.out.String(), "\n")
	})
	if err := json.Unmarshal([]byte(s.out.String()), s); err != nil {
		t.Fatalf("read the addresses of fcmsim: %v", err)
	}
	return s
}

// SimulatorCounts are the counts of the simulator.
type SimulatorCounts struct {
	Requests, Accepted, Distinct, Duplicates, InFlight int64
	// Codes count the requests by their response.
	Codes map[string]int64
}

// Counts fetches the counts.
func (s *Simulator) Counts() SimulatorCounts {
	s.t.Helper()
	var counts SimulatorCounts
	s.ask("/counts", func(reply *json.Decoder) error { return reply.Decode(&counts) })
	return counts
}

// AwaitAccepted waits until the simulator has accepted n messages.
func (s *Simulator) AwaitAccepted(n int64) {
	s.t.Helper()
	Eventually(s.t, "FCM has accepted enough", func() bool { return s.Counts().Accepted >= n })
}

// LedgerEntry is one message to one token.
type LedgerEntry struct {
	Target             string
	Attempts, Accepted int
	Message            json.RawMessage
}

// CountAccepted returns how often FCM accepted one of the messages.
func CountAccepted(entries []LedgerEntry) (times int) {
	for _, e := range entries {
		times += e.Accepted
	}
	return times
}

// Ledger returns the messages by token. Messages that were never accepted have no token.
func (s *Simulator) Ledger() map[string][]LedgerEntry {
	s.t.Helper()
	ledger := make(map[string][]LedgerEntry)
	s.ask("/ledger", func(reply *json.Decoder) error {
		for {
			var entry LedgerEntry
			if err := reply.Decode(&entry); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			ledger[entry.Target] = append(ledger[entry.Target], entry)
		}
	})
	return ledger
}

func (s *Simulator) ask(path string, read func(reply *json.Decoder) error) {
	s.t.Helper()
	reply, err := s.client.Get(s.Admin + path)
	if err != nil {
		s.t.Fatalf("ask the simulator: %v", err)
	}
	defer reply.Body.Close()
	if err := read(json.NewDecoder(reply.Body)); err != nil {
		s.t.Fatalf("read %s of the simulator: %v", path, err)
	}
}

// Rules replaces the simulator's rules, given as JSON. {} means none.
func (s *Simulator) Rules(rules string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPut, s.Admin+"/rules", strings.NewReader(rules))
	if err != nil {
		s.t.Fatal(err)
	}
	reply, err := s.client.Do(request)
	if err != nil {
		s.t.Fatalf("set the simulator's rules: %v", err)
	}
	defer reply.Body.Close()
	if said, err := io.ReadAll(reply.Body); err != nil || reply.StatusCode != http.StatusNoContent {
		s.t.Fatalf("set the simulator's rules to %s: %s %s %v", rules, reply.Status, said, err)
	}
}

// Arrivals are the numbers of requests in each 100 ms of a time.
type Arrivals struct {
	From  time.Time
	Slots []struct{ Accepted, Limited, Other int }
}

const slot = 100 * time.Millisecond

// Total returns the number of requests.
func (a Arrivals) Total() (n int) {
	for _, s := range a.Slots {
		n += s.Accepted + s.Limited + s.Other
	}
	return n
}

// Rate returns the requests per second, or NaN without slots.
func (a Arrivals) Rate() float64 {
	return float64(a.Total()) / (time.Duration(len(a.Slots)) * slot).Seconds()
}

// between keeps the slots that lie fully within a time.
func (a Arrivals) between(from, to time.Time) Arrivals {
	first := max(0, int((from.Sub(a.From)+slot-1)/slot))
	last := min(len(a.Slots), int(to.Sub(a.From)/slot))
	if first >= last {
		return Arrivals{From: from}
	}
	return Arrivals{From: a.From.Add(time.Duration(first) * slot), Slots: a.Slots[first:last]}
}

// AwaitArrivals waits for the end of a time, and returns the slots that lie fully within it.
func (s *Simulator) AwaitArrivals(from, to time.Time) (came Arrivals) {
	s.t.Helper()
	Eventually(s.t, "that time is over", func() bool { return time.Now().After(to) })
	s.ask("/trace", func(reply *json.Decoder) error {
		var trace struct {
			Projects map[string]struct{ Tenths Arrivals }
		}
		err := reply.Decode(&trace)
		for _, project := range trace.Projects {
			came = project.Tenths.between(from, to)
		}
		return err
	})
	return came
}
