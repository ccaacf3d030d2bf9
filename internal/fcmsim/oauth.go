package fcmsim

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
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

// serveToken exchanges a service account's assertion for an access token.
func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	book := s.book(now)
	rules := book.rules.Token
	throws := dice(s.options.Seed ^ uint64(s.tally.exchanges.Add(1)))
	if !wait(r.Context(), rules.Latency.draw(&throws)) || rules.fail(w, r, &throws) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if refused := s.issuer.examine(r.PostFormValue("grant_type"), r.PostFormValue("assertion"), now); refused != nil {
		writeToken(w, http.StatusBadRequest, refused)
		return
	}
	lifetime := cmp.Or(time.Duration(rules.Lifetime), s.options.TokenLifetime)
	s.tally.accessTokens.Add(1)
	writeToken(w, http.StatusOK, map[string]any{
		"access_token": s.issuer.issue(now, lifetime),
		"expires_in":   int(lifetime / time.Second),
		"token_type":   "Bearer",
	})
}

func writeToken(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", jsonContent)
	w.Header().Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // only the sender's leaving can fail here
}
