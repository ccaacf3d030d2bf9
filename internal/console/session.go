package console

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanfare/internal/redact"
)

// Tokens are the secrets that log a person in, by role. An empty one allows no one in.
type Tokens struct {
	Read, Operate redact.Secret
}

// minToken is the least length of a token: 16 characters of base64 are 96 random bits.
const minToken = 16

func (t Tokens) isEmpty() bool { return t.Read.Reveal() == "" && t.Operate.Reveal() == "" }

func (t Tokens) validate() error {
	for _, token := range []redact.Secret{t.Read, t.Operate} {
		if n := len(token.Reveal()); n > 0 && n < minToken {
			return errors.New("a login token is shorter than 16 characters; make one with: openssl rand -base64 24")
		}
	}
	if t.Read.Reveal() != "" && t.Read.Reveal() == t.Operate.Reveal() {
		return errors.New("the login tokens of the two roles are the same")
	}
	return nil
}

// viewer is the person who looks at a page.
type viewer struct {
	Name    string
	Operate bool
}

// Role is how the console names what the viewer may do.
func (v viewer) Role() string {
	if v.Operate {
		return "operate"
	}
	return "read only"
}

// match returns the viewer of a token. Comparing hashes takes the same time for all tokens.
func (t Tokens) match(token string) (viewer, bool) {
	same := func(secret redact.Secret) bool {
		a, b := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(secret.Reveal()))
		return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && secret.Reveal() != ""
	}
	operate, read := same(t.Operate), same(t.Read)
	return viewer{Operate: operate}, operate || read
}

const (
	sessionCookie = "fanfare_session"
	sessionTTL    = 12 * time.Hour
	maxSessions   = 1000
)

// sessions are the logins of this process. They end with it.
type sessions struct {
	tokens Tokens
	mu     sync.Mutex
	byID   map[string]session
}

type session struct {
	viewer  viewer
	expires time.Time
}

func newSessions(t Tokens) *sessions { return &sessions{tokens: t, byID: make(map[string]session)} }

// add begins a session and returns its id. Of very many, expired and then arbitrary ones end.
func (s *sessions) add(v viewer, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, each := range s.byID {
		if now.After(each.expires) || len(s.byID) >= maxSessions {
			delete(s.byID, id)
		}
	}
	id := rand.Text()
	s.byID[id] = session{v, now.Add(sessionTTL)}
	return id
}

func (s *sessions) find(id string, now time.Time) (viewer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	each, ok := s.byID[id]
	return each.viewer, ok && now.Before(each.expires)
}

func (s *sessions) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
}

// apiPath is where programs ask. They show a token instead of a session.
const apiPath = "/api/"

// actorHeader is how a program names itself or the person it acts for.
const actorHeader = "Fanfare-Actor"

type viewerKey struct{}

// CallerOf returns who sends a request that was let through, and whether they may change something.
func CallerOf(r *http.Request) (name string, operate bool) {
	v := viewerOf(r)
	return v.Name, v.Operate
}

func viewerOf(r *http.Request) viewer {
	v, _ := r.Context().Value(viewerKey{}).(viewer)
	return v
}

// findViewer returns who looks. ok is false without a login where one is needed.
func (c *Console) findViewer(r *http.Request) (v viewer, ok bool) {
	named := ""
	if strings.HasPrefix(r.URL.Path, apiPath) {
		named = clip(strings.TrimSpace(r.Header.Get(actorHeader)), maxName)
	}
	if c.opts.Tokens.isEmpty() {
		return viewer{Name: cmp.Or(named, c.opts.Actor), Operate: c.opts.Operate}, true
	}
	if token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found && strings.HasPrefix(r.URL.Path, apiPath) {
		v, ok = c.opts.Tokens.match(strings.TrimSpace(token))
		v.Name = named
		v.Operate = v.Operate && c.opts.Operate
		return v, ok
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return viewer{}, false
	}
	v, ok = c.sessions.find(cookie.Value, c.now())
	v.Operate = v.Operate && c.opts.Operate
	return v, ok
}

// requireLogin puts the viewer into the request. Without a session it leads to the login page.
func (c *Console) requireLogin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.findViewer(r)
		isOpen := r.URL.Path == "/login" || strings.HasPrefix(r.URL.Path, "/static/")
		switch {
		case ok || isOpen:
			next.ServeHTTP(w, r.WithContext(context.WithValue(asActor(r, v), viewerKey{}, v)))
		case strings.HasPrefix(r.URL.Path, apiPath):
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"status":401,"title":"No known token","detail":"Send Authorization: Bearer with a token of the console."}`+"\n")
		case r.Method == http.MethodGet && !wantsStream(r):
			http.Redirect(w, r, c.opts.Prefix+"/login", http.StatusFound)
		default:
			http.Error(w, "Log in first.", http.StatusUnauthorized)
		}
	})
}

// login compares the token in constant time and begins a session.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	v, ok := c.opts.Tokens.match(r.PostFormValue("token"))
	if !ok {
		c.renderLogin(w, r, http.StatusForbidden, "This token is not known. Tokens are set where the console was started.")
		return
	}
	v.Name = strings.TrimSpace(r.PostFormValue("name"))
	if v.Name = clip(v.Name, maxName); v.Name == "" {
		v.Name = "someone"
	}
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: c.sessions.add(v, c.now()), Path: c.opts.Prefix + "/", MaxAge: int(sessionTTL.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: isHTTPS(r),
	})
	http.Redirect(w, r, c.opts.Prefix+"/campaigns", http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		c.sessions.remove(cookie.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: c.opts.Prefix + "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, c.opts.Prefix+"/login", http.StatusSeeOther)
}

func (c *Console) showLogin(w http.ResponseWriter, r *http.Request) {
	c.renderLogin(w, r, http.StatusOK, "")
}

// isHTTPS reports whether the browser speaks TLS, to us or to a proxy before us.
func isHTTPS(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}
