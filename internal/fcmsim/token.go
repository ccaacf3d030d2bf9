package fcmsim

import (
	"net/http"
	"time"
)

func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	s.tally.accessTokens.Add(1)
	writeJSON(w, map[string]any{
		"access_token": s.issuer.issue(time.Now()),
		"expires_in":   int(s.options.TokenLifetime / time.Second),
		"token_type":   "Bearer",
	})
}
