package fcmsim

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"fanfare/fcmsim/internal/h2"
)

// TokenRules say how the OAuth endpoint behaves, and which of its bearers are taken. Bearers matter to simulators that
// require them only.
type TokenRules struct {
	// Fault of an exchange, Share of the exchanges that it strikes; a share of 0 is all.
	Fault TokenFault `json:"fault,omitempty"`
	Share float64    `json:"share,omitempty"`
	// Latency of every answer.
	Latency Latency `json:"latency,omitzero"`
	// Lifetime of the bearers that are issued, at least one second; 0 is that of the Options.
	Lifetime Duration `json:"lifetime,omitzero"`
	// Revoke refuses, as expired, the bearers that were issued before these rules came into force.
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
	TokenReset        TokenFault = "RESET"            // the stream, or over HTTP/1.1 the connection, is reset
)

// TokenFaults lists the text forms of all faults.
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

// fail gives the failure of an exchange, and reports whether the rules want one.
func (t TokenRules) fail(d *dice) (h2.Reply, bool) {
	if t.Fault == TokenGood || t.Share > 0 && d.float() >= t.Share {
		return h2.Reply{}, false
	}
	switch t.Fault {
	case TokenInvalidGrant:
		return tokenReply(http.StatusBadRequest, oauthError{"invalid_grant", "Invalid grant: account not found"}), true
	case TokenInternal:
		return tokenReply(http.StatusInternalServerError, oauthError{Code: "internal_failure"}), true
	case TokenUnavailable:
		page := html(http.StatusServiceUnavailable, "The service is temporarily unavailable.")
		return page.reply(), true
	case TokenHang:
		return h2.Reply{Fate: h2.Hang}, true
	default:
		return h2.Reply{Fate: h2.Reset}, true
	}
}
