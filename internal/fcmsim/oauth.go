package fcmsim

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"
)

// issuer is the OAuth endpoint's memory.
type issuer struct {
	lifetime time.Duration
	mu       sync.RWMutex
	expiry   map[string]time.Time
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
func (i *issuer) authorize(header string) *refusal {
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
	case time.Now().After(expiry):
		return &refusal{CodeUnauthenticated, answers[CodeUnauthenticated]}
	}
	return nil
}
