package judges

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"fanfare/fcmsim"
)

// session is how the SDK calls the end of a batch's connection, with two prefixes.
const session = "messaging/app/network-error"

// inBatch are the codes that differ in a batch, which goes over HTTP/2. The SDK gives up a whole
// batch when its connection ends, by GOAWAY as well, even what was answered.
var inBatch = map[string]string{
	"garbled-":   "app/unable-to-parse-response",
	"truncated-": network,
	"goaway-":    session,
	"close-":     session,
}

func TestNodeTellsTheAnswersApartInABatch(t *testing.T) {
	s := newSimulator(t, fcmsim.Rules{})
	codes := maps.Clone(expectedCodes)
	maps.Copy(codes, inBatch)
	var together []string
	var calls []call
	for prefix, code := range codes {
		if code == session {
			calls = append(calls, call{"sendEach", to(prefix + "1")})
		} else {
			together = append(together, prefix+"1")
		}
	}
	calls = append(calls, call{"sendEach", to(together...)}, call{"sendEachForMulticast", to(together...)})
	for i, reports := range s.node(t, calls...) {
		for j, r := range reports {
			token := calls[i].Messages[j].Token
			r.check(t, calls[i].Method+" to "+token, codes[strings.TrimSuffix(token, "1")])
		}
	}
	// A batch is a connection, and so is the one for the bearer. Nothing else is repeated than what
	// is answered 503.
	c := s.Counts()
	if c.Connections.TLS != int64(len(calls))+1 || c.Codes["UNAVAILABLE"] != 2*2*5 || c.Codes["RESET_AFTER_READ"] != 2 {
		t.Errorf("counts %+v", c)
	}
}

// The pushes of a batch come all at once: those over the quota are told, the others are accepted.
func TestNodesBatchHearsOfTheQuota(t *testing.T) {
	s := newSimulator(t, fcmsim.Rules{Quota: quota(30)})
	var tokens []string
	for i := range 50 {
		tokens = append(tokens, "t"+string(rune('A'+i)))
	}
	var codes []string
	for _, r := range s.node(t, call{"sendEachForMulticast", to(tokens...)})[0] {
		codes = append(codes, r.Code)
	}
	slices.Sort(codes)
	if want := slices.Concat(slices.Repeat([]string{""}, 30), slices.Repeat([]string{limited}, 20)); !slices.Equal(codes, want) {
		t.Errorf("reported %q", codes)
	}
	if c := s.Counts(); c.Accepted != 30 {
		t.Errorf("counts %+v", c)
	}
}
