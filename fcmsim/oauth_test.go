package fcmsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/fcmsim"

	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jws"
	"golang.org/x/oauth2/jwt"
)

const messagingScope = "https://www.googleapis.com/auth/firebase.messaging"

func serviceAccount(t *testing.T, r *rig) *jwt.Config {
	t.Helper()
	file, err := r.srv.ServiceAccount("demo")
	if err != nil {
		t.Fatal(err)
	}
	config, err := google.JWTConfigFromJSON(file, messagingScope)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func (r *rig) postAs(t *testing.T, authorization string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.srv.URLs.TLS+"/projects/demo/messages:send", strings.NewReader(toToken("t")))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return readReply(t, res)
}

func TestAccessTokenIsChecked(t *testing.T) {
	r := newRig(t, fcmsim.Options{RequireAuth: true, TokenLifetime: time.Second})
	token, err := serviceAccount(t, r).TokenSource(t.Context()).Token()
	if err != nil {
		t.Fatal(err)
	}
	if good := r.postAs(t, "Bearer "+token.AccessToken); good.status != http.StatusOK {
		t.Errorf("a valid access token: %d %s", good.status, good.body)
	}
	for what, tt := range map[string]struct{ authorization, reason string }{
		"none":    {"", "CREDENTIALS_MISSING"},
		"basic":   {"Basic eDp5", "CREDENTIALS_MISSING"},
		"unknown": {"Bearer ya29.nobody", "ACCESS_TOKEN_TYPE_UNSUPPORTED"},
	} {
		got := r.postAs(t, tt.authorization)
		info, _ := got.err.detail("google.rpc.ErrorInfo")
		if got.status != http.StatusUnauthorized || got.err.Status != "UNAUTHENTICATED" || info.Reason != tt.reason {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	if c := r.Counts(); c.AccessTokens != 1 || c.Accepted != 1 || c.Codes["UNAUTHENTICATED"] != 3 {
		t.Errorf("counts %+v", c)
	}
}

func TestWrongProjectIsDenied(t *testing.T) {
	r := newRig(t, fcmsim.Options{Project: "another"})
	got := r.post(t, toToken("t"))
	if info, _ := got.err.detail("google.rpc.ErrorInfo"); got.status != http.StatusForbidden || info.Reason != "IAM_PERMISSION_DENIED" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// exchange posts an assertion and returns the error's code and description, or the response.
func exchange(t *testing.T, r *rig, grant, assertion string) (status int, answer map[string]any) {
	t.Helper()
	form := url.Values{"grant_type": {grant}, "assertion": {assertion}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(r.srv.URLs.TLS, "/v1")+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got := readReply(t, res)
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatalf("%s: %v", got.body, err)
	}
	return got.status, answer
}

func TestAssertionIsChecked(t *testing.T) {
	const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	r := newRig(t, fcmsim.Options{})
	own := serviceAccount(t, r)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	sign := func(algorithm string, c jws.ClaimSet) string {
		t.Helper()
		assertion, err := jws.Encode(&jws.Header{Algorithm: algorithm, Typ: "JWT"}, &c, stranger)
		if err != nil {
			t.Fatal(err)
		}
		return assertion
	}
	good := jws.ClaimSet{Iss: "anyone@example.test", Scope: messagingScope, Aud: "https://oauth2.googleapis.com/token", Iat: now, Exp: now + 3600}
	with := func(change func(*jws.ClaimSet)) string {
		c := good
		change(&c)
		return sign("RS256", c)
	}
	noIssuer := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"x"}`)) + ".c2ln"
	tests := []struct {
		name, grant, assertion, code, description string
	}{
		{"another grant", "password", sign("RS256", good), "unsupported_grant_type", "password"},
		{"no assertion", grant, "", "invalid_grant", "parse"},
		{"no JWT", grant, "a.b.c", "invalid_grant", "parse"},
		{"another algorithm", grant, sign("HS256", good), "invalid_grant", "algorithm"},
		{"no issuer", grant, noIssuer, "invalid_grant", "issuer"},
		{"expired", grant, with(func(c *jws.ClaimSet) { c.Iat, c.Exp = now-7200, now-3600 }), "invalid_grant", "short-lived"},
		{"expired beyond all skew", grant, with(func(c *jws.ClaimSet) { c.Iat, c.Exp = now-1800, now-360 }), "invalid_grant", "short-lived"},
		{"too early", grant, with(func(c *jws.ClaimSet) { c.Iat = now + 360 }), "invalid_grant", "short-lived"},
		{"too long", grant, with(func(c *jws.ClaimSet) { c.Exp = now + 7200 }), "invalid_grant", "short-lived"},
		{"another scope", grant, with(func(c *jws.ClaimSet) { c.Scope = "https://www.googleapis.com/auth/drive" }), "invalid_scope", "scope"},
		{"another's signature", grant, with(func(c *jws.ClaimSet) { c.Iss = own.Email }), "invalid_grant", "Signature"},
	}
	for _, tt := range tests {
		status, answer := exchange(t, r, tt.grant, tt.assertion)
		description, _ := answer["error_description"].(string)
		if status != http.StatusBadRequest || answer["error"] != tt.code || !strings.Contains(description, tt.description) {
			t.Errorf("%s: %d %v", tt.name, status, answer)
		}
	}
	skewed := with(func(c *jws.ClaimSet) { c.Iat, c.Exp = now-1800, now-240 })
	if status, answer := exchange(t, r, grant, skewed); status != http.StatusOK {
		t.Errorf("from a clock that is behind: %d %v", status, answer)
	}
	status, answer := exchange(t, r, grant, sign("RS256", good))
	if status != http.StatusOK || answer["token_type"] != "Bearer" || answer["expires_in"] != 3600.0 || answer["access_token"] == "" {
		t.Errorf("a good assertion: %d %v", status, answer)
	}
}
