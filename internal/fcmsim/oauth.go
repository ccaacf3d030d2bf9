package fcmsim

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// issuer is the memory of the OAuth endpoint.
type issuer struct {
	lifetime time.Duration
	mu       sync.RWMutex
	expiry   map[string]time.Time
	accounts accounts
}

func newIssuer(lifetime time.Duration) *issuer {
	return &issuer{lifetime: lifetime, expiry: make(map[string]time.Time)}
}

func (i *issuer) issue(now time.Time) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	token := "ya29." + rand.Text()
	i.expiry[token] = now.Add(i.lifetime)
	return token
}

// authorize checks a bearer; nil lets the request pass.
func (i *issuer) authorize(header string, now time.Time) *refusal {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return &refusal{CodeUnauthenticated, plain(unauthenticated(noCredentials, "CREDENTIALS_MISSING"))}
	}
	i.mu.RLock()
	expiry, known := i.expiry[token]
	i.mu.RUnlock()
	switch {
	case !known:
		return &refusal{CodeUnauthenticated, plain(unauthenticated(badCredentials, "ACCESS_TOKEN_TYPE_UNSUPPORTED"))}
	case now.After(expiry):
		return &refusal{CodeUnauthenticated, answers[CodeUnauthenticated]}
	}
	return nil
}

// oauthError is the body of a refused token request, after RFC 6749.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// serveToken exchanges a service account's assertion for an access token.
func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	now := time.Now()
	if refused := s.issuer.examine(r.PostFormValue("grant_type"), r.PostFormValue("assertion"), now); refused != nil {
		writeToken(w, http.StatusBadRequest, refused)
		return
	}
	s.tally.accessTokens.Add(1)
	writeToken(w, http.StatusOK, map[string]any{
		"access_token": s.issuer.issue(now),
		"expires_in":   int(s.options.TokenLifetime / time.Second),
		"token_type":   "Bearer",
	})
}

func writeToken(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", jsonContent)
	w.Header().Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // only the sender's leaving can fail here
}
