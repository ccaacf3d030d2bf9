package fcmsim

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fanfare/fcmsim/internal/h2"
)

// issuer is the state of the OAuth endpoint.
type issuer struct {
	mu       sync.RWMutex
	tokens   map[string]accessToken
	accounts accounts
}

type accessToken struct{ issued, expires time.Time }

func newIssuer() *issuer { return &issuer{tokens: make(map[string]accessToken)} }

func (i *issuer) issue(now time.Time, lifetime time.Duration) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	token := "ya29." + rand.Text()
	i.tokens[token] = accessToken{issued: now, expires: now.Add(lifetime)}
	return token
}

// authorize checks the access token of a request. It returns nil for a valid one.
func (i *issuer) authorize(header string, current *ruleset, now time.Time) *response {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		missing := jsonResponse(unauthenticated(noCredentials, "CREDENTIALS_MISSING"))
		return &missing
	}
	i.mu.RLock()
	found, known := i.tokens[token]
	i.mu.RUnlock()
	switch {
	case !known:
		unknown := jsonResponse(unauthenticated(badCredentials, "ACCESS_TOKEN_TYPE_UNSUPPORTED"))
		return &unknown
	case now.After(found.expires), current.rules.Token.Revoke && found.issued.Before(current.since):
		return &codeResponses[CodeUnauthenticated]
	}
	return nil
}

// oauthError is the body of a refused token request (RFC 6749).
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// answerTokenRequest answers a request to the OAuth endpoint, or makes it fail as the rules say.
func (s *Simulator) answerTokenRequest(form []byte) h2.Reply {
	now := time.Now()
	rules := s.rulesetAt(now).rules.Token
	random := rng(s.options.Seed ^ uint64(s.counters.exchanges.Add(1)))
	delay := rules.Latency.draw(&random)
	reply, failed := rules.drawFailure(&random)
	if !failed {
		reply = s.exchange(form, rules, now)
	}
	reply.Delay = delay
	return reply
}

// exchange returns an access token for a service account's assertion.
func (s *Simulator) exchange(form []byte, rules TokenRules, now time.Time) h2.Reply {
	values, _ := url.ParseQuery(string(form)) // what cannot be parsed counts as missing
	if refused := s.issuer.checkGrant(values.Get("grant_type"), values.Get("assertion"), now); refused != nil {
		return tokenReply(http.StatusBadRequest, refused)
	}
	lifetime := cmp.Or(time.Duration(rules.Lifetime), s.options.TokenLifetime)
	s.counters.accessTokens.Add(1)
	return tokenReply(http.StatusOK, map[string]any{
		"access_token": s.issuer.issue(now, lifetime),
		"expires_in":   int(lifetime / time.Second),
		"token_type":   "Bearer",
	})
}

func tokenReply(status int, body any) h2.Reply {
	text, _ := json.Marshal(body) // these types always encode
	return h2.Reply{Status: status, Body: text, Header: []h2.Field{
		{Name: "content-type", Value: jsonContent},
		{Name: "cache-control", Value: "no-cache, no-store, max-age=0, must-revalidate"},
	}}
}

// TokenRules are how the OAuth endpoint behaves and which access tokens are valid. The latter
// matters only with Options.RequireAuth.
type TokenRules struct {
	// Fault is how an exchange fails. Share is the share of exchanges that fail, from 0 to 1; 0
	// means all.
	Fault TokenFault `json:"fault,omitempty"`
	Share float64    `json:"share,omitempty"`
	// Latency delays every response.
	Latency Latency `json:"latency,omitzero"`
	// Lifetime of the access tokens, from 1 s to 720 h; 0 is that of Options.
	Lifetime Duration `json:"lifetime,omitzero"`
	// Revoke refuses, as expired, the access tokens issued before these rules came into force.
	Revoke bool `json:"revoke,omitempty"`
}

// TokenFault is how an exchange fails.
type TokenFault string

// The faults of an exchange.
const (
	TokenGood         TokenFault = ""
	TokenInvalidGrant TokenFault = "INVALID_GRANT"    // 400: the account is gone or its key was revoked
	TokenInternal     TokenFault = "INTERNAL_FAILURE" // 500
	TokenUnavailable  TokenFault = "UNAVAILABLE"      // 503, a page of the front end
	TokenHang         TokenFault = "HANG"             // never answered
	TokenReset        TokenFault = "RESET"            // the stream, or the HTTP/1.1 connection, is reset
)

// TokenFaults returns the names of all faults.
func TokenFaults() []string {
	return []string{string(TokenInvalidGrant), string(TokenInternal), string(TokenUnavailable), string(TokenHang), string(TokenReset)}
}

func (t TokenRules) check() error {
	switch {
	case !(t.Share >= 0 && t.Share <= 1):
		return fmt.Errorf("share %g is not between 0 and 1", t.Share)
	case t.Lifetime != 0 && (time.Duration(t.Lifetime) < time.Second || time.Duration(t.Lifetime) > maxLifetime):
		return fmt.Errorf("lifetime %s is not between 1s and %s", t.Lifetime, maxLifetime)
	}
	return errors.Join(t.Fault.check(), t.Latency.check())
}

func (f TokenFault) check() error {
	switch f {
	case TokenGood, TokenInvalidGrant, TokenInternal, TokenUnavailable, TokenHang, TokenReset:
		return nil
	default:
		return fmt.Errorf("no such fault: %q", string(f))
	}
}

// drawFailure returns the failure of an exchange. It reports false if the exchange succeeds.
func (t TokenRules) drawFailure(d *rng) (h2.Reply, bool) {
	if t.Fault == TokenGood || t.Share > 0 && d.float() >= t.Share {
		return h2.Reply{}, false
	}
	switch t.Fault {
	case TokenInvalidGrant:
		return tokenReply(http.StatusBadRequest, oauthError{"invalid_grant", "Invalid grant: account not found"}), true
	case TokenInternal:
		return tokenReply(http.StatusInternalServerError, oauthError{Code: "internal_failure"}), true
	case TokenUnavailable:
		page := htmlResponse(http.StatusServiceUnavailable, "The service is temporarily unavailable.")
		return page.reply(), true
	case TokenHang:
		return h2.Reply{Fault: h2.FaultHang}, true
	default:
		return h2.Reply{Fault: h2.FaultReset}, true
	}
}
