package judges

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fanfare/fcmsim"
)

// call of the SDK, and what it reported of each message.
type call struct {
	Method   string    `json:"method"`
	Messages []message `json:"messages"`
}

type message struct {
	Token        string            `json:"token"`
	Notification map[string]string `json:"notification,omitempty"`
	Data         map[string]string `json:"data,omitempty"`
}

type report struct {
	Code string // "" where the message was accepted
	ID   string
	Said string
}

func to(tokens ...string) []message {
	messages := make([]message, len(tokens))
	for i, token := range tokens {
		messages[i] = message{Token: token, Notification: map[string]string{"title": "Hello"}}
	}
	return messages
}

// node lets the SDK make calls, in order and in one process.
func (s *simulator) node(t *testing.T, calls ...call) [][]report {
	t.Helper()
	return s.runNode(t, calls, len(calls))
}

// runNode runs n calls.
func (s *simulator) runNode(t *testing.T, calls any, n int) [][]report {
	t.Helper()
	if _, err := os.Stat(filepath.Join("node", "node_modules", "firebase-admin")); err != nil {
		t.Fatal("the Firebase Admin SDK for Node is not installed; type: npm ci --prefix test/judges/node --ignore-scripts")
	}
	order, err := json.Marshal(map[string]any{"endpoint": s.server.URLs.TLS, "account": json.RawMessage(s.account), "calls": calls})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "judge.mjs")
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+s.server.CAFile)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(order), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	var reports [][]report
	if err := json.Unmarshal(stdout.Bytes(), &reports); err != nil || len(reports) != n {
		t.Fatalf("node printed %s: %v", stdout.String(), err)
	}
	return reports
}

func (r report) check(t *testing.T, what, code string) {
	t.Helper()
	if r.Code != code || code == "" && !strings.HasPrefix(r.ID, "projects/demo/messages/") {
		t.Errorf("%s: reported %q %s %s, want %q", what, r.Code, r.ID, r.Said, code)
	}
}

const (
	limited = "messaging/message-rate-exceeded"
	network = "app/network-error"
)

// expectedCodes are the codes of the SDK's reference for each answer. Without an FcmError the SDK
// uses the status alone. It takes a wrong bearer for an APNs fault, and a wrong project for a fault
// of the token.
var expectedCodes = map[string]string{
	"dead-":            "messaging/registration-token-not-registered",
	"unregistered-":    "messaging/registration-token-not-registered",
	"invalid-":         "messaging/invalid-argument",
	"payload-":         "messaging/invalid-argument",
	"mismatch-":        "messaging/mismatched-credential",
	"quota-":           limited,
	"device-quota-":    limited,
	"topic-quota-":     limited,
	"rate-limit-":      limited,
	"overload-":        limited,
	"unavailable-":     "messaging/server-unavailable",
	"ghost-":           "messaging/server-unavailable",
	"internal-":        "messaging/internal-error",
	"gateway-":         "messaging/unknown-error",
	"apns-auth-":       "messaging/third-party-auth-error",
	"unauthenticated-": "messaging/third-party-auth-error",
	"denied-":          "messaging/mismatched-credential",
	"missing-":         "messaging/registration-token-not-registered",
	"garbled-":         "messaging/unknown-error",
	"goaway-":          "",
	"reset-":           network,
	"close-":           network,
	"good-":            "",
}

// unjudged prefixes keep the SDK waiting, for a minute or for ever.
var unjudged = []string{"trickle-", "hang-", "lost-"}

func TestNodeTellsTheAnswersApart(t *testing.T) {
	s := newSimulator(t, fcmsim.Rules{})
	var tokens []string
	for prefix := range expectedCodes {
		tokens = append(tokens, prefix+"1")
	}
	for i, r := range s.node(t, call{"send", to(tokens...)})[0] {
		r.check(t, "send to "+tokens[i], expectedCodes[strings.TrimSuffix(tokens[i], "1")])
	}
	for _, prefix := range fcmsim.Prefixes() {
		if _, judged := expectedCodes[prefix]; !judged && !slices.Contains(unjudged, prefix) && prefix != "truncated-" {
			t.Errorf("no code is expected for %s", prefix)
		}
	}
	// By itself the SDK sends five times what is answered 503, or not at all.
	if c := s.Counts(); c.Codes["UNAVAILABLE"] != 10 || c.Codes["RESET_AFTER_READ"] != 5 || c.AccessTokens != 1 {
		t.Errorf("counts %+v", c)
	}
}

// Over HTTP/1.1 the SDK forgets a message whose answer ends too early, although FCM has it.
func TestNodeForgetsATruncatedAnswer(t *testing.T) {
	s := newSimulator(t, fcmsim.Rules{})
	s.node(t, call{"send", to("truncated-1")})[0][0].check(t, "send", "never")
	if c := s.Counts(); c.Accepted != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestNodeHearsOfLimits(t *testing.T) {
	s := newSimulator(t, fcmsim.Rules{
		Quota:  quota(3),
		Device: fcmsim.DeviceLimits{PerMinute: 1},
	})
	reports := s.node(t, call{"send", to("a", "a", "b", "dead-1", "c", "d")})[0]
	for i, code := range []string{"", limited, "", expectedCodes["dead-"], limited, limited} {
		reports[i].check(t, "send "+strconv.Itoa(i+1), code)
	}
	c := s.Counts()
	if c.Codes["DEVICE_QUOTA_EXCEEDED"] != 1 || c.Codes["QUOTA_EXCEEDED"] != 2 {
		t.Errorf("counts %+v", c)
	}
}

// What goes wrong before FCM is the application's fault, not the message's.
func TestNodeHearsOfNoAccess(t *testing.T) {
	for what, rules := range map[string]fcmsim.Rules{
		"INVALID_GRANT":    {Token: fcmsim.TokenRules{Fault: fcmsim.TokenInvalidGrant}},
		"INTERNAL_FAILURE": {Token: fcmsim.TokenRules{Fault: fcmsim.TokenInternal}},
		"UNAVAILABLE":      {Token: fcmsim.TokenRules{Fault: fcmsim.TokenUnavailable}},
		"RESET":            {Token: fcmsim.TokenRules{Fault: fcmsim.TokenReset}},
		"EXPIRED":          {Handshake: fcmsim.HandshakeExpired},
		"WRONG_HOST":       {Handshake: fcmsim.HandshakeWrongHost},
		"UNTRUSTED":        {Handshake: fcmsim.HandshakeUntrusted},
		"REFUSED":          {Handshake: fcmsim.HandshakeRefused},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSimulator(t, rules)
			s.node(t, call{"send", to("a")})[0][0].check(t, "send", "app/invalid-credential")
			if c := s.Counts(); c.Requests != 0 || c.AccessTokens != 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}
