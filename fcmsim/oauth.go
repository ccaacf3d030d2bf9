package fcmsim

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fanfare/fcmsim/internal/h2"
)

// issuer is the memory of the OAuth endpoint.
type issuer struct {
	mu       sync.RWMutex
	bearers  map[string]bearer
	accounts accounts
}

type bearer struct{ issued, expires time.Time }

func newIssuer() *issuer { return &issuer{bearers: make(map[string]bearer)} }

func (i *issuer) issue(now time.Time, lifetime time.Duration) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	token := "ya29." + rand.Text()
	i.bearers[token] = bearer{issued: now, expires: now.Add(lifetime)}
	return token
}

// authorize checks a bearer; nil lets the request pass.
func (i *issuer) authorize(header string, book *playbook, now time.Time) *answer {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		missing := plain(unauthenticated(noCredentials, "CREDENTIALS_MISSING"))
		return &missing
	}
	i.mu.RLock()
	found, known := i.bearers[token]
	i.mu.RUnlock()
	switch {
	case !known:
		unknown := plain(unauthenticated(badCredentials, "ACCESS_TOKEN_TYPE_UNSUPPORTED"))
		return &unknown
	case now.After(found.expires), book.rules.Token.Revoke && found.issued.Before(book.since):
		return &answers[CodeUnauthenticated]
	}
	return nil
}

// oauthError is the body of a refused token request, after RFC 6749.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// token answers at the OAuth endpoint, or fails to.
func (s *Simulator) token(form []byte) h2.Reply {
	now := time.Now()
	rules := s.book(now).rules.Token
	throws := dice(s.options.Seed ^ uint64(s.tally.exchanges.Add(1)))
	delay := rules.Latency.draw(&throws)
	reply, failed := rules.fail(&throws)
	if !failed {
		reply = s.exchange(form, rules, now)
	}
	reply.Delay = delay
	return reply
}

// exchange gives an access token for a service account's assertion.
func (s *Simulator) exchange(form []byte, rules TokenRules, now time.Time) h2.Reply {
	values, _ := url.ParseQuery(string(form)) // what cannot be read is missing
	if refused := s.issuer.examine(values.Get("grant_type"), values.Get("assertion"), now); refused != nil {
		return tokenReply(http.StatusBadRequest, refused)
	}
	lifetime := cmp.Or(time.Duration(rules.Lifetime), s.options.TokenLifetime)
	s.tally.accessTokens.Add(1)
	return tokenReply(http.StatusOK, map[string]any{
		"access_token": s.issuer.issue(now, lifetime),
		"expires_in":   int(lifetime / time.Second),
		"token_type":   "Bearer",
	})
}

func tokenReply(status int, body any) h2.Reply {
	text, _ := json.Marshal(body) // the types above hold nothing that encoding could refuse
	return h2.Reply{Status: status, Body: text, Header: []h2.Field{
		{Name: "content-type", Value: jsonContent},
		{Name: "cache-control", Value: "no-cache, no-store, max-age=0, must-revalidate"},
	}}
}
