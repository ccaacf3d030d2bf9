package fcmsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
)

// accounts are the service accounts that a simulator made, by email.
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

// ServiceAccount makes a service account for a project and returns its credentials file, as the Firebase console would
// hand it out, with this server as its token endpoint. Assertions of the account are checked against its key; a second
// call for the same project replaces the key.
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
