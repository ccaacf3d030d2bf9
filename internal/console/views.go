package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"fanfare/internal/operator"
)

//go:embed templates
var templateFiles embed.FS

//go:embed static
var assets embed.FS

// partPrefix begins the names of the templates that a stream sends again when they change. An
// element with data-part="rows" holds what the template "part-rows" renders.
const partPrefix = "part-"

// views are the templates of all pages, each with the layout.
type views struct {
	byName map[string]*template.Template
	names  map[string][]string // the parts of each page
}

func parseViews(prefix string) (*views, error) {
	functions := template.FuncMap{
		"url":   func(p string) string { return prefix + p },
		"n":     func(n int64) string { return operator.Thousands(n) },
		"share": share,
		"count": countOf,
		"dict":  dict,
	}
	common, err := template.New("").Funcs(functions).ParseFS(templateFiles, "templates/sprite.html", "templates/layout.html", "templates/components.html", "templates/devices.html", "templates/source.html")
	if err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/pages/*.html")
	if err != nil {
		return nil, err
	}
	v := &views{byName: make(map[string]*template.Template), names: make(map[string][]string)}
	for _, file := range files {
		each, err := template.Must(common.Clone()).ParseFS(templateFiles, file)
		if err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
		name := strings.TrimSuffix(path.Base(file), ".html")
		v.byName[name] = each
		for _, part := range each.Templates() {
			if strings.HasPrefix(part.Name(), partPrefix) {
				v.names[name] = append(v.names[name], part.Name())
			}
		}
	}
	return v, nil
}

// page renders a whole page.
func (v *views) page(w io.Writer, name string, f frame) error {
	return v.byName[name].ExecuteTemplate(w, "layout", f)
}

// fragment renders one template of a page.
func (v *views) fragment(w io.Writer, page, name string, data any) error {
	return v.byName[page].ExecuteTemplate(w, name, data)
}

// parts renders the parts of a page by name.
func (v *views) parts(name string, f frame) (map[string]string, error) {
	parts := make(map[string]string, len(v.names[name]))
	for _, part := range v.names[name] {
		var buffer bytes.Buffer
		if err := v.byName[name].ExecuteTemplate(&buffer, part, f); err != nil {
			return nil, err
		}
		parts[strings.TrimPrefix(part, partPrefix)] = buffer.String()
	}
	return parts, nil
}

// dict makes the argument of a template from names and values.
func dict(pairs ...any) map[string]any {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// staticFiles serves what pages load. The files change only with the program, so a browser may keep
// them for a while.
func staticFiles() http.Handler {
	files := http.FileServerFS(assets)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "private, max-age=300")
		files.ServeHTTP(w, r)
	})
}
