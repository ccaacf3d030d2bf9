package servers

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"fanfare/internal/fcmsim"
)

// Rules replaces the simulator's rules, as JSON; {} are none.
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

// Arrivals are when requests came, by 100 ms.
func (s *Simulator) Arrivals() (tenths fcmsim.Series) {
	s.t.Helper()
	s.ask("/trace", func(reply *json.Decoder) error {
		var trace fcmsim.Trace
		err := reply.Decode(&trace)
		for _, arrivals := range trace.Projects {
			tenths = arrivals.Tenths
		}
		return err
	})
	return tenths
}

// ArrivalsBetween waits until all of a time is over, and returns the slots that lie whole within it.
func (s *Simulator) ArrivalsBetween(from, to time.Time) fcmsim.Series {
	s.t.Helper()
	Eventually(s.t, "that time is over", func() bool { return time.Now().After(to) })
	return s.Arrivals().Between(from, to)
}
