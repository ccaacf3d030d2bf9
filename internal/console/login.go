package console

import (
	"bytes"
	"net/http"
)

// loginContent is the login page.
type loginContent struct{ Problem string }

// renderLogin writes the login page.
func (c *Console) renderLogin(w http.ResponseWriter, r *http.Request, status int, problem string) {
	f := frame{Title: "Log in", Page: "login", Theme: themeOf(r), Project: c.projectLabel(), Prefix: c.opts.Prefix, Content: loginContent{problem}}
	var buffer bytes.Buffer
	if err := c.views.fragment(&buffer, "login", "bare", f); err != nil {
		c.deps.Logger.Error("page rendering failed; this is a bug", "page", "login", "error", err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = buffer.WriteTo(w)
}
