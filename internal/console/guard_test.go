package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A name that is not ours may be another site's that was rebound to our address.
func TestForeignHostIsRefused(t *testing.T) {
	f := open(t, Options{Operate: true, Hosts: []string{"push.example.com"}})
	for host, want := range map[string]int{"attacker.example": http.StatusMisdirectedRequest, "push.example.com": http.StatusOK, "localhost:1": http.StatusOK, "[::1]:1": http.StatusOK, "192.0.2.7": http.StatusMisdirectedRequest} {
		r := f.request(http.MethodGet, "/campaigns", nil)
		r.Host = host
		wantStatus(t, f.send(r), want)
	}
}

func TestActionsFromAnotherSiteAreRefused(t *testing.T) {
	f := open(t, Options{Operate: true})
	r := f.request(http.MethodPost, "/campaigns/running/pause", url.Values{})
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	wantStatus(t, f.send(r), http.StatusForbidden)
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

// A read-only console shows no action, and refuses those that are asked for all the same.
func TestReadOnly(t *testing.T) {
	f := open(t, Options{})
	for _, page := range pages {
		if text := f.get(page).text; strings.Contains(text, "data-dialog") || !strings.Contains(text, "read only") {
			t.Errorf("%s offers an action, or does not say that it is read only", page)
		}
	}
	for _, path := range []string{"/campaigns/running/pause", "/campaigns/running/pace", "/dead/purge", "/quota/halt"} {
		wantStatus(t, f.post(path, url.Values{}), http.StatusForbidden)
	}
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

const operateToken, readToken = "operate-0123456789abcdef", "read-0123456789abcdef"

func TestLogin(t *testing.T) {
	for name, each := range map[string]struct {
		token   string
		operate bool
		act     int
	}{"operate": {operateToken, true, http.StatusOK}, "read": {readToken, true, http.StatusForbidden}, "console is read-only": {operateToken, false, http.StatusForbidden}} {
		t.Run(name, func(t *testing.T) {
			f := open(t, Options{Operate: each.operate, Tokens: Tokens{Read: readToken, Operate: operateToken}})
			wantStatus(t, f.get("/campaigns"), http.StatusFound)
			wantStatus(t, f.post("/campaigns/running/pause", url.Values{}), http.StatusUnauthorized)
			wantStatus(t, f.post("/login", url.Values{"token": {"wrong"}}), http.StatusForbidden)
			wantStatus(t, f.get("/campaigns"), http.StatusFound)
			in := f.post("/login", url.Values{"token": {each.token}, "name": {"mia"}})
			wantStatus(t, in, http.StatusSeeOther)
			for _, c := range in.Cookies() {
				if c.Name == sessionCookie && (!c.HttpOnly || c.SameSite != http.SameSiteStrictMode) {
					t.Errorf("cookie %+v, want one that only our pages send and no script reads", c)
				}
			}
			page := f.get("/campaigns")
			wantStatus(t, page, http.StatusOK)
			if !strings.Contains(page.text, "mia · ") {
				t.Error("the page does not say who is logged in")
			}
			wantStatus(t, f.post("/campaigns/running/pause", url.Values{"reason": {"typo"}}), each.act)
			wantStatus(t, f.post("/logout", url.Values{}), http.StatusSeeOther)
			wantStatus(t, f.get("/campaigns"), http.StatusFound)
		})
	}
}

func TestWeakTokensAreRefused(t *testing.T) {
	for name, tokens := range map[string]Tokens{"short": {Operate: "short"}, "the same": {Read: operateToken, Operate: operateToken}} {
		if err := tokens.validate(); err == nil {
			t.Errorf("%s: tokens are accepted", name)
		}
	}
}

func TestThemeIsWrittenByTheServer(t *testing.T) {
	f := open(t, Options{})
	if strings.Contains(f.get("/campaigns").text, "data-theme=") {
		t.Error("a theme is set that no one chose")
	}
	wantStatus(t, f.post("/theme", url.Values{"theme": {"purple"}}), http.StatusBadRequest)
	wantStatus(t, f.post("/theme", url.Values{"theme": {"dark"}}), http.StatusNoContent)
	if !strings.Contains(f.get("/campaigns").text, `data-theme="dark"`) {
		t.Error("the page does not keep the chosen theme")
	}
}

// A page ends although nothing answers; a stream and an export may take as long as they need.
func TestPagesEnd(t *testing.T) {
	t.Parallel()
	ends := bound(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, limited := r.Context().Deadline(); !limited {
			w.WriteHeader(http.StatusTeapot)
		}
	}), time.Minute)
	for path, want := range map[string]int{"/quota": http.StatusOK, "/campaigns/1/start": http.StatusOK, "/campaigns/1/export": http.StatusTeapot} {
		w := httptest.NewRecorder()
		ends.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	stream := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/quota", http.NoBody)
	stream.Header.Set("Accept", "text/event-stream")
	w := httptest.NewRecorder()
	if ends.ServeHTTP(w, stream); w.Code != http.StatusTeapot {
		t.Error("a stream ends after a while")
	}
}

// An id that no campaign can have is not found, wherever it is asked for.
func TestImpossibleIDs(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	for _, path := range []string{"/campaigns/%ff", "/campaigns/%ff/pause"} {
		wantStatus(t, f.get(path), http.StatusNotFound)
	}
}
