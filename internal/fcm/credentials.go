package fcm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	answers := &answerRecorder{ctx: ctx, base: c.transport}
	found, err := c.load(ctx, &http.Client{Transport: answers})
	if err != nil {
		return nil, &CredentialsError{c.String(), err}
	}
	token, err := found.TokenSource.Token()
	if err == nil {
		return token, nil
	}
	if answers.isCredentialsFault(err) {
		return nil, &CredentialsError{c.String(), err}
	}
	return nil, fmt.Errorf("reach the token endpoint: %w", err)
}

// answerRecorder records the token endpoint's last answer, which oauth2 returns only as text.
type answerRecorder struct {
	ctx    context.Context // oauth2 sets no context on its requests
	base   http.RoundTripper
	called bool
	status int    // 0 if no answer came
	body   []byte // of a refusal, as far as it was read
}

// maxTokenRefusal is how much of a refusal is read: enough for each of OAuth's errors.
const maxTokenRefusal = 64 << 10

func (r *answerRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.called, r.status, r.body = true, 0, nil
	resp, err := r.base.RoundTrip(req.WithContext(r.ctx))
	if err != nil {
		return nil, err
	}
	r.status = resp.StatusCode
	if r.status >= 400 {
		r.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxTokenRefusal)) // what is missing is no error of OAuth's
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(r.body))
	}
	return resp, nil
}

// isCredentialsFault reports whether the endpoint refused the credentials, or they cannot be used
// to sign in at all. The page of a proxy before the endpoint refuses nothing.
func (r *answerRecorder) isCredentialsFault(err error) bool {
	if !r.called {
		_, network := errors.AsType[net.Error](err) // from a metadata server, which is not called through r
		return !network
	}
	busy := r.status == http.StatusRequestTimeout || r.status == http.StatusTooManyRequests
	return r.status >= 400 && r.status < 500 && !busy && isTokenRefusal(r.body)
}

// isTokenRefusal reports whether a body has the form of a token endpoint's error: a text (RFC 6749,
// section 5.2), or Google's object.
func isTokenRefusal(body []byte) bool {
	var answer struct {
		Error any `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return false
	}
	switch e := answer.Error.(type) {
	case string:
		return e != ""
	case map[string]any:
		return parseErrorBody(body).isGoogle()
	}
	return false
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
