package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// goPassages reads the comments of a Go file, and its texts of three words and more: logs, errors,
// help. Texts of tests are left out.
func goPassages(name string, text []byte) ([]passage, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("parse source: %w", err)
	}
	rows := strings.Split(string(text), "\n")
	var all []passage
	for _, group := range file.Comments {
		if !isDirective(group) && !isOutput(group) {
			all = append(all, goComment(set, rows, group))
		}
	}
	if strings.HasSuffix(name, "_test.go") {
		return all, nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil && len(strings.Fields(text)) >= 3 {
				all = append(all, passage{line: set.Position(lit.Pos()).Line, text: text})
			}
		}
		return true
	})
	return all, nil
}

func isDirective(group *ast.CommentGroup) bool { return strings.TrimSpace(group.Text()) == "" }

// isOutput reports whether a comment is what an Example prints.
func isOutput(group *ast.CommentGroup) bool {
	return strings.HasPrefix(group.Text(), "Output:") || strings.HasPrefix(group.Text(), "Unordered output:")
}

func goComment(set *token.FileSet, rows []string, group *ast.CommentGroup) passage {
	p := passage{line: set.Position(group.Pos()).Line, comment: true, text: group.Text()}
	for n := p.line; n <= set.Position(group.End()).Line; n++ {
		row := rows[n-1]
		if strings.HasPrefix(strings.TrimSpace(row), "//") && !strings.HasPrefix(strings.TrimSpace(row), "//go:") {
			p.lines = append(p.lines, line{n, row})
		}
	}
	return p
}

// luaPassages reads the comments of a Lua file: lines that begin with --.
func luaPassages(text string) []passage {
	var all []passage
	var open *passage
	for i, row := range strings.Split(text, "\n") {
		comment, found := strings.CutPrefix(strings.TrimSpace(row), "--")
		if !found {
			open = nil
			continue
		}
		if open == nil {
			all = append(all, passage{line: i + 1, comment: true})
			open = &all[len(all)-1]
		}
		open.text += strings.TrimSpace(comment) + "\n"
		open.lines = append(open.lines, line{i + 1, row})
	}
	return all
}
