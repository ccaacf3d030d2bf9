package main

import (
	"fmt"
	"strings"
	"testing"
)

func faultsOf(t *testing.T, name, text string) string {
	t.Helper()
	passages := luaPassages(text)
	if strings.HasSuffix(name, ".go") {
		var err error
		if passages, err = goPassages(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	for _, p := range passages {
		for _, f := range p.faults(name) {
			all = append(all, fmt.Sprint(f))
		}
	}
	return strings.Join(all, "\n")
}

func TestFaultsAreFound(t *testing.T) {
	long := strings.Repeat("word ", 26)
	for name, c := range map[string]struct{ file, text, want string }{
		"a comment":            {"a.go", "package a\n\n// Nobody waits.\nvar x int\n", `a.go:3: says "Nobody"; use: no one`},
		"an error":             {"a.go", "package a\n\nvar x = \"who mends the key\"\n", `a.go:3: says "mends"`},
		"a key is no text":     {"a.go", "package a\n\nvar x = \"anew\"\n", ""},
		"a test's text":        {"a_test.go", "package a\n\nvar x = \"it begins anew here\"\n", ""},
		"a long sentence":      {"a.go", "package a\n\n// " + long[:80] + "\n// " + long[80:] + ".\nvar x int\n", "a sentence of 26 words"},
		"two short ones":       {"a.go", "package a\n\n// " + long[:65] + ".\n// " + long[65:] + ".\nvar x int\n", ""},
		"a wide comment":       {"a.go", "package a\n\n\t// " + strings.Repeat("é", 94) + "\nvar x int\n", "a comment of 101 columns"},
		"a comment that fits":  {"a.go", "package a\n\n\t// " + strings.Repeat("é", 93) + "\nvar x int\n", ""},
		"Lua":                  {"a.lua", "local x\n-- it begins\n-- anew\n", `a.lua:2: says "anew"`},
		"Lua's code":           {"a.lua", "local anew = 1\n", ""},
		"a directive":          {"a.go", "package a\n\n//go:generate echo nobody\n", ""},
		"an Example's output":  {"a_test.go", "package a\n\nfunc ExampleX() {\n\t// Output:\n\t// nobody " + long + "\n}\n", ""},
		"part of another word": {"a.go", "package a\n\n// Amends and heedless.\nvar x int\n", ""},
	} {
		if got := faultsOf(t, c.file, c.text); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
