package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestOperationsListsLogLines compares the page with the programs: it must list each WARN and ERROR
// with its level, and no other.
func TestOperationsListsLogLines(t *testing.T) {
	logged := make(map[string]string)
	for _, top := range []string{"internal", "cmd"} {
		err := filepath.WalkDir("../../"+top, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return collectLogLines(path, logged)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(logged) < 50 {
		t.Errorf("only %d log lines found", len(logged))
	}
	listed := make(map[string]string)
	for line := range strings.Lines(page(t, "docs/operations.md")) {
		cells := strings.Split(line, "|")
		if len(cells) == 6 && slices.Contains([]string{"WARN", "ERROR"}, strings.TrimSpace(cells[1])) {
			listed[strings.Trim(cells[2], " `")] = strings.TrimSpace(cells[1])
		}
	}
	for text, level := range logged {
		if listed[text] != level {
			t.Errorf("docs/operations.md does not list %s `%s`", level, text)
		}
	}
	for text := range listed {
		if logged[text] == "" {
			t.Errorf("docs/operations.md lists `%s`, which no program logs", text)
		}
	}
}

// collectLogLines finds the calls of Warn and Error on a logger whose message is a constant.
func collectLogLines(path string, found map[string]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, isMethod := call.Fun.(*ast.SelectorExpr)
		text, isText := call.Args[0].(*ast.BasicLit)
		if !isMethod || !isText || text.Kind != token.STRING || method.Sel.Name != "Warn" && method.Sel.Name != "Error" {
			return true
		}
		message, err := strconv.Unquote(text.Value)
		if err == nil {
			found[message] = strings.ToUpper(method.Sel.Name)
		}
		return true
	})
	return nil
}
