package console

import (
	"net/http"
	"time"
)

const (
	themeCookie = "fanfare_theme"
	maxForm     = 1 << 20 // bytes of a form without a file
	maxName     = 64
)

// themeOf returns light, dark, or "" for the system's. ?theme=dark is for screenshots.
func themeOf(r *http.Request) string {
	theme := r.URL.Query().Get("theme")
	if cookie, err := r.Cookie(themeCookie); theme == "" && err == nil {
		theme = cookie.Value
	}
	if theme != "light" && theme != "dark" {
		return ""
	}
	return theme
}

// setTheme keeps the choice in a cookie, so that the next page does not flash.
func (c *Console) setTheme(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	theme := r.PostFormValue("theme")
	if theme != "light" && theme != "dark" {
		http.Error(w, "theme is light or dark", http.StatusBadRequest)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: themeCookie, Value: theme, Path: c.opts.Prefix + "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: isHTTPS(r),
	})
	w.WriteHeader(http.StatusNoContent)
}
