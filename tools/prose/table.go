package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"slices"
	"strings"
)

// measures are the figures of the table in the house style, over the Go files without their tests.
type measures struct {
	files, functions []int // lines
	exported, documented,
	comments, archaic, examples int
}

// printTable prints the measures of Go files.
func printTable(w io.Writer, files []string) error {
	var m measures
	for _, name := range files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		if err := m.add(name); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "files                                        %d\n", len(m.files))
	fmt.Fprintf(w, "file lines, median / p90 / max               %s\n", spread(m.files))
	fmt.Fprintf(w, "function lines, median / p90 / max           %s\n", spread(m.functions))
	fmt.Fprintf(w, "exported names with a comment                %.0f%%\n", 100*share(m.documented, m.exported))
	fmt.Fprintf(w, "words of the list per 100 comment lines      %.1f\n", 100*share(m.archaic, m.comments))
	fmt.Fprintf(w, "runnable Examples                            %d\n", m.examples)
	return nil
}

func (m *measures) add(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read source: %w", err)
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse source: %w", err)
	}
	if strings.HasSuffix(name, "_test.go") {
		m.examples += examples(file)
		return nil
	}
	m.files = append(m.files, strings.Count(string(text), "\n"))
	for _, group := range file.Comments {
		m.comments += set.Position(group.End()).Line - set.Position(group.Pos()).Line + 1
		for _, w := range words {
			m.archaic += len(w.FindAllString(group.Text(), -1))
		}
	}
	for _, decl := range file.Decls {
		m.declare(set, decl)
	}
	return nil
}

// examples counts the Examples that have an output, which go test runs.
func examples(file *ast.File) int {
	n := 0
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Example") {
			n++
		}
	}
	return n
}

func (m *measures) declare(set *token.FileSet, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		m.functions = append(m.functions, set.Position(d.End()).Line-set.Position(d.Pos()).Line+1)
		m.name(d.Name, d.Doc)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if s, ok := spec.(*ast.TypeSpec); ok {
				doc := s.Doc
				if doc == nil {
					doc = d.Doc
				}
				m.name(s.Name, doc)
			}
		}
	}
}

func (m *measures) name(id *ast.Ident, doc *ast.CommentGroup) {
	if !id.IsExported() {
		return
	}
	m.exported++
	if doc != nil {
		m.documented++
	}
}

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }

func spread(numbers []int) string {
	if len(numbers) == 0 {
		return "–"
	}
	slices.Sort(numbers)
	return fmt.Sprintf("%d / %d / %d", numbers[len(numbers)/2], numbers[len(numbers)*9/10], numbers[len(numbers)-1])
}
