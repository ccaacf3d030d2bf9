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

// messagingScope is all that sending needs.
const messagingScope = "https://www.googleapis.com/auth/firebase.messaging"

// tokenTimeout bounds one fetch of an access token.
const tokenTimeout = 10 * time.Second

// credentials make access tokens. The file is read for each of them, so that a mended or rotated one is taken up without a restart.
type credentials struct {
	inline    redact.Secret // goes before the file
	file      string        // both empty: Application Default Credentials
	plaintext bool          // access tokens may come over http://
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

// load reads the credentials. What they fetch goes over the client.
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

// projectID is the project that the credentials name; empty where they name none.
func (c credentials) readProjectID(ctx context.Context) (string, error) {
	found, err := c.load(ctx, &http.Client{Transport: c.transport})
	if err != nil {
		return "", &CredentialsError{c.String(), err}
	}
	return found.ProjectID, nil
}

// fetch gets a new access token. It is a *CredentialsError when the credentials are to blame, and another error when the token
// endpoint is in trouble.
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

// witness sees how the token endpoint answers, which oauth2 tells only as text.
type statusRecorder struct {
	ctx    context.Context // oauth2 gives its requests none
	base   http.RoundTripper
	called bool
	status int // of the last answer; 0: none came
}

func (w *statusRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	w.called, w.status = true, 0
	resp, err := w.base.RoundTrip(req.WithContext(w.ctx))
	if err == nil {
		w.status = resp.StatusCode
	}
	return resp, err
}

// blames tells whether the credentials are at fault: the endpoint refused them, or they are unfit to ask with.
func (w *statusRecorder) isCredentialsFault(err error) bool {
	if !w.called {
		_, network := errors.AsType[net.Error](err) // a machine's metadata server, which is asked by other means
		return !network
	}
	busy := w.status == http.StatusRequestTimeout || w.status == http.StatusTooManyRequests
	return w.status >= 400 && w.status < 500 && !busy
}

// CredentialsError says that no access token can be had with the credentials given.
type CredentialsError struct {
	// Source tells where the credentials come from: a file's path, or "application default credentials".
	Source string
	Err    error
}

func (e *CredentialsError) Error() string {
	return redact.Text(fmt.Sprintf("credentials from %s: %v", e.Source, e.Err))
}

func (e *CredentialsError) Unwrap() error { return e.Err }
