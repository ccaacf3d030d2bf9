package fcmsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// accounts has the public keys of the service accounts that a simulator made, by email.
type accounts struct {
	mu   sync.Mutex
	keys map[string]*rsa.PublicKey
}

func (a *accounts) add(email string, key *rsa.PublicKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = make(map[string]*rsa.PublicKey)
	}
	a.keys[email] = key
}

func (a *accounts) key(email string) *rsa.PublicKey {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keys[email]
}

// ServiceAccount makes a service account for a project and returns its credentials file (JSON), as
// the Firebase console would. The file names this server as its token endpoint. Signatures of the
// account are verified; a second call for the same project replaces its key. It fails without a
// listener for the token endpoint.
func (srv *Server) ServiceAccount(project string) ([]byte, error) {
	if srv.URLs.Token == "" {
		return nil, errors.New("make service account: no listener serves the token endpoint")
	}
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("make service account key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode service account key: %w", err)
	}
	email := "fcmsim@" + project + ".iam.gserviceaccount.com"
	srv.simulator.issuer.accounts.add(email, &key.PublicKey)
	return json.MarshalIndent(map[string]string{
		"type":           "service_account",
		"project_id":     project,
		"private_key_id": fmt.Sprintf("%016x", fingerprint(0, der)),
		"private_key":    string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email":   email,
		"client_id":      "100000000000000000000",
		"token_uri":      srv.URLs.Token,
	}, "", "  ")
}

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// claims of a service account's assertion (RFC 7523).
type claims struct {
	Issuer   string `json:"iss"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// checkGrant checks a token request. It verifies signatures only of accounts that this simulator
// made, as it knows no other keys.
func (i *issuer) checkGrant(grant, assertion string, now time.Time) *oauthError {
	if grant != jwtBearer {
		return &oauthError{"unsupported_grant_type", "Invalid grant_type: " + grant}
	}
	signed, signature, ok := cutLast(assertion, ".")
	head, body, ok2 := strings.Cut(signed, ".")
	var header struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	if !ok || !ok2 || !decodeSegment(head, &header) || !decodeSegment(body, &c) {
		return &oauthError{"invalid_grant", "Invalid JWT: Failed to parse the assertion."}
	}
	if header.Algorithm != "RS256" {
		return &oauthError{"invalid_grant", "Invalid JWT: Unsupported algorithm."}
	}
	if wrong := c.check(now); wrong != nil {
		return wrong
	}
	if key := i.accounts.key(c.Issuer); key != nil && !isSignedBy(key, signed, signature) {
		return &oauthError{"invalid_grant", "Invalid JWT Signature."}
	}
	return nil
}

func (c claims) check(now time.Time) *oauthError {
	const skew, longest = 5 * time.Minute, time.Hour
	issued, expires := time.Unix(c.Issued, 0), time.Unix(c.Expires, 0)
	switch {
	case c.Issuer == "":
		return &oauthError{"invalid_grant", "Invalid issuer: Not a valid email or user ID."}
	case c.Audience == "":
		return &oauthError{"invalid_grant", "Invalid JWT: Failed audience check."}
	case expires.Before(now.Add(-skew)), issued.After(now.Add(skew)), expires.Sub(issued) > longest:
		return &oauthError{"invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable " +
			"timeframe. Check your iat and exp values in the JWT claim."}
	case !strings.Contains(c.Scope, "firebase.messaging") && !strings.Contains(c.Scope, "cloud-platform"):
		return &oauthError{"invalid_scope", "Invalid OAuth scope or ID token audience provided."}
	}
	return nil
}

func decodeSegment(segment string, into any) bool {
	data, err := base64.RawURLEncoding.DecodeString(segment)
	return err == nil && json.Unmarshal(data, into) == nil
}

func isSignedBy(key *rsa.PublicKey, signed, signature string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	digest := sha256.Sum256([]byte(signed))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], raw) == nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
