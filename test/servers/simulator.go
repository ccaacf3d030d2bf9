package servers

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Simulator is fcmsim in a process of its own, with its ledger of whole messages.
type Simulator struct {
	*Process
	TLS    string `json:"tls"` // an FCM endpoint
	Admin  string `json:"admin"`
	CAFile string `json:"caFile"`

	client *http.Client
}

// StartSimulator returns when the simulator serves: it then prints its addresses as one line of JSON.
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

// SimulatorCounts are what the simulator has seen.
type SimulatorCounts struct {
	Requests, Accepted, Distinct, Duplicates, InFlight int64
	// Codes count the requests by their answers.
	Codes map[string]int64
}

// Counts asks for the counts.
func (s *Simulator) Counts() SimulatorCounts {
	s.t.Helper()
	var counts SimulatorCounts
	s.ask("/counts", func(reply *json.Decoder) error { return reply.Decode(&counts) })
	return counts
}

// Accepted waits until the simulator has accepted so many messages.
func (s *Simulator) Accepted(n int64) {
	s.t.Helper()
	Eventually(s.t, "FCM has accepted enough", func() bool { return s.Counts().Accepted >= n })
}

// LedgerEntry is one message to one token.
type LedgerEntry struct {
	Target             string
	Attempts, Accepted int
	Message            json.RawMessage
}

// Accepted counts how often FCM accepted one of the messages.
func Accepted(entries []LedgerEntry) (times int) {
	for _, e := range entries {
		times += e.Accepted
	}
	return times
}

// Ledger lists the messages to each token; those that were never accepted, under no token.
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
