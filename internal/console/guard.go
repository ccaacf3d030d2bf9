package console

import (
	"net/http"
	"slices"
	"strings"

	"fanfare/internal/loopback"
)

// policy allows only what the console itself serves: no inline script or style, no other origin.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// guard refuses what no page of ours sends, and adds the headers of every response.
func (c *Console) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	guarded := origin.Handler(c.requireLogin(next))
	if c.opts.Prefix != "" {
		guarded = http.StripPrefix(c.opts.Prefix, guarded)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if isHTTPS(r) { // browsers ignore it elsewhere, and say so as an error
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		h.Set("Cache-Control", "no-store")
		switch {
		case !c.isOurHost(r.Host):
			http.Error(w, "This console is not served under this name. Allow it with --host.", http.StatusMisdirectedRequest)
		case c.opts.Prefix != "" && r.URL.Path == c.opts.Prefix:
			http.Redirect(w, r, c.opts.Prefix+"/", http.StatusFound)
		default:
			guarded.ServeHTTP(w, r)
		}
	})
}

// isOurHost reports whether a request names this console. A page of another site whose name was
// rebound to our address does not.
func (c *Console) isOurHost(host string) bool {
	if loopback.IsHostPort(host) {
		return true
	}
	name := loopback.StripPort(host)
	return slices.ContainsFunc(c.opts.Hosts, func(own string) bool { return strings.EqualFold(own, name) || strings.EqualFold(own, host) })
}
