package fcmsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"fanfare/fcmsim"

	"golang.org/x/oauth2"
)

func tokenRules(rules fcmsim.TokenRules) fcmsim.Options {
	return fcmsim.Options{RequireAuth: true, Rules: fcmsim.Rules{Token: rules}}
}

func TestTokenEndpointFails(t *testing.T) {
	for fault, want := range map[fcmsim.TokenFault]struct {
		status int
		code   string
	}{
		fcmsim.TokenInvalidGrant: {400, "invalid_grant"},
		fcmsim.TokenInternal:     {500, "internal_failure"},
		fcmsim.TokenUnavailable:  {503, ""},
		fcmsim.TokenReset:        {},
	} {
		t.Run(string(fault), func(t *testing.T) {
			r := newRig(t, tokenRules(fcmsim.TokenRules{Fault: fault}))
			status, code := r.exchange(t)
			if status != want.status || code != want.code {
				t.Errorf("%d %q, want %+v", status, code, want)
			}
			if c := r.Counts(); c.AccessTokens != 0 || c.Exchanges == 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

func TestTokenFaultHappensByShare(t *testing.T) {
	r := newRig(t, tokenRules(fcmsim.TokenRules{Fault: fcmsim.TokenInternal, Share: 0.5}))
	var got []int
	for range 40 {
		status, _ := r.exchange(t)
		got = append(got, status)
	}
	if !slices.Contains(got, http.StatusOK) || !slices.Contains(got, http.StatusInternalServerError) {
		t.Errorf("got %v", got)
	}
}

func TestTokenEndpointIsSlow(t *testing.T) {
	const delay = 50 * time.Millisecond
	r := newRig(t, tokenRules(fcmsim.TokenRules{Latency: fcmsim.Fixed(delay)}))
	start := time.Now()
	if status, _ := r.exchange(t); status != http.StatusOK || time.Since(start) < delay {
		t.Errorf("%d after %s", status, time.Since(start))
	}
}

// One rule makes access tokens short-lived; another revokes those already issued.
func TestAccessTokensExpireDuringARun(t *testing.T) {
	r := newRig(t, tokenRules(fcmsim.TokenRules{Lifetime: fcmsim.Duration(30 * time.Second)}))
	config := serviceAccount(t, r)
	token, err := config.TokenSource(t.Context()).Token()
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(token.Expiry); left <= 0 || left > 30*time.Second {
		t.Errorf("a lifetime of 30s ends in %s", left)
	}
	if got := r.postAs(t, "Bearer "+token.AccessToken); got.status != http.StatusOK {
		t.Errorf("fresh: %d", got.status)
	}
	if err := r.SetRules(fcmsim.Rules{Token: fcmsim.TokenRules{Revoke: true}}); err != nil {
		t.Fatal(err)
	}
	got := r.postAs(t, "Bearer "+token.AccessToken)
	if info, _ := got.err.detail("google.rpc.ErrorInfo"); got.status != http.StatusUnauthorized || info.Reason != "ACCESS_TOKEN_EXPIRED" {
		t.Errorf("revoked: %d %s", got.status, got.body)
	}
	if token, err = config.TokenSource(t.Context()).Token(); err != nil {
		t.Fatal(err)
	}
	if got := r.postAs(t, "Bearer "+token.AccessToken); got.status != http.StatusOK {
		t.Errorf("an access token issued after: %d %s", got.status, got.body)
	}
}

// exchange requests an access token with a valid assertion; status 0 means no response.
func (r *rig) exchange(t *testing.T) (status int, code string) {
	t.Helper()
	_, err := serviceAccount(t, r).TokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, r.client)).Token()
	if err == nil {
		return http.StatusOK, ""
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		var body struct{ Error string }
		_ = json.Unmarshal(refused.Body, &body) // a page of the front end is not JSON
		return refused.Response.StatusCode, body.Error
	}
	return 0, ""
}
