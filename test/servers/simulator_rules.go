package servers

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
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

// Arrivals are how many requests came in each 100 ms of some time.
type Arrivals struct {
	From  time.Time
	Slots []struct{ Accepted, Limited, Other int }
}

const slot = 100 * time.Millisecond

// Total is all that came.
func (a Arrivals) Total() (n int) {
	for _, s := range a.Slots {
		n += s.Accepted + s.Limited + s.Other
	}
	return n
}

// Rate is how many came in a second; not a number where there is no slot.
func (a Arrivals) Rate() float64 {
	return float64(a.Total()) / (time.Duration(len(a.Slots)) * slot).Seconds()
}

// between keeps the slots that lie whole within a time.
func (a Arrivals) between(from, to time.Time) Arrivals {
	first := max(0, int((from.Sub(a.From)+slot-1)/slot))
	last := min(len(a.Slots), int(to.Sub(a.From)/slot))
	if first >= last {
		return Arrivals{From: from}
	}
	return Arrivals{From: a.From.Add(time.Duration(first) * slot), Slots: a.Slots[first:last]}
}

// ArrivalsBetween waits until all of a time is over, and returns the slots that lie whole within it.
func (s *Simulator) ArrivalsBetween(from, to time.Time) (came Arrivals) {
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
