package fcm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"fanfare/internal/redact"
)

// messagingScope is the OAuth scope for sending.
const messagingScope = "https://www.googleapis.com/auth/firebase.messaging"

// tokenTimeout limits one fetch of an access token.
const tokenTimeout = 10 * time.Second

// credentials fetch access tokens. The file is read for each fetch, so that a repaired or rotated
// file takes effect without a restart.
type credentials struct {
	inline    redact.Secret // takes precedence over the file
	file      string        // both empty: Application Default Credentials
	plaintext bool          // access tokens may travel over http://
	transport http.RoundTripper
}

func (c credentials) String() string {
	switch {
	case c.inline != "":
		return "fcm.credentials (FCM_CREDENTIALS)"
	case c.file == "":
		return "application default credentials"
	}
	return c.file
}

// load reads the credentials. They fetch their tokens through the client.
func (c credentials) load(ctx context.Context, client *http.Client) (*google.Credentials, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	if c.inline == "" && c.file == "" {
		return google.FindDefaultCredentialsWithParams(ctx, google.CredentialsParams{
			Scopes: []string{messagingScope}, EarlyTokenRefresh: renewAhead,
		})
	}
	text := []byte(c.inline.Reveal())
	if c.inline == "" {
		var err error
		if text, err = os.ReadFile(c.file); err != nil {
			return nil, err
		}
	}
	account, err := parseAccount(text)
	if err == nil && !c.plaintext {
		err = account.checkPlaintext()
	}
	if err != nil {
		return nil, err
	}
	return google.CredentialsFromJSONWithType(ctx, account.text, account.kind, messagingScope)
}

// readProjectID returns the project named in the credentials, or "" if they name none.
func (c credentials) readProjectID(ctx context.Context) (string, error) {
	found, err := c.load(ctx, &http.Client{Transport: c.transport})
	if err != nil {
		return "", &CredentialsError{c.String(), err}
	}
	return found.ProjectID, nil
}

// fetchToken gets a new access token. It returns a *CredentialsError if the credentials are at
// fault, and another error if the token endpoint is.
func (c credentials) fetchToken(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	w := &statusRecorder{ctx: ctx, base: c.transport}
	found, err := c.load(ctx, &http.Client{Transport: w})
	if err != nil {
		return nil, &CredentialsError{c.String(), err}
	}
	token, err := found.TokenSource.Token()
	if err == nil {
		return token, nil
	}
	if w.isCredentialsFault(err) {
		return nil, &CredentialsError{c.String(), err}
	}
	return nil, fmt.Errorf("reach the token endpoint: %w", err)
}

// statusRecorder records the status of the token endpoint's answer, which oauth2 returns only as
// text.
type statusRecorder struct {
	ctx    context.Context // oauth2 sets no context on its requests
	base   http.RoundTripper
	called bool
	status int // of the last answer; 0 if none came
}

func (w *statusRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	w.called, w.status = true, 0
	resp, err := w.base.RoundTrip(req.WithContext(w.ctx))
	if err == nil {
		w.status = resp.StatusCode
	}
	return resp, err
}

// isCredentialsFault reports whether the endpoint refused the credentials, or they cannot be used
// to sign in at all.
func (w *statusRecorder) isCredentialsFault(err error) bool {
	if !w.called {
		_, network := errors.AsType[net.Error](err) // from a metadata server, which is not called through w
		return !network
	}
	busy := w.status == http.StatusRequestTimeout || w.status == http.StatusTooManyRequests
	return w.status >= 400 && w.status < 500 && !busy
}

// CredentialsError reports that the credentials yield no access token.
type CredentialsError struct {
	// Source is where the credentials come from: a file's path, or "application default
	// credentials".
	Source string
	Err    error
}

func (e *CredentialsError) Error() string {
	return redact.Text(fmt.Sprintf("credentials from %s: %v", e.Source, e.Err))
}

func (e *CredentialsError) Unwrap() error { return e.Err }
