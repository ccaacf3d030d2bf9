package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxComplexity = 10
	maxSubject    = 72
)

// measures are the figures of the house style's table, over the Go files without their tests.
// Only the Examples are counted in the tests.
type measures struct {
	files, functions     []int // lines
	complex              int   // functions above maxComplexity
	exported, documented int
	comments, archaic    int // lines, words
	examples             int
}

// printTable prints the measures of Go files, and of the commits of a revision range in the
// repository around folder.
func printTable(w io.Writer, files []string, folder, commits string) error {
	subjects, err := subjectsOf(folder, commits)
	if err != nil {
		return err
	}
	var m measures
	for _, name := range files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		if err := m.add(name); err != nil {
			return err
		}
	}
	long := 0
	for _, subject := range subjects {
		if utf8.RuneCountInString(subject) > maxSubject {
			long++
		}
	}
	for _, row := range [][2]string{
		{"files", fmt.Sprint(len(m.files))},
		{"file lines, median / p90 / max", spread(m.files)},
		{"function lines, median / p90 / max", spread(m.functions)},
		{"cyclomatic complexity above 10", percent(m.complex, len(m.functions))},
		{"exported names with a comment", percent(m.documented, m.exported)},
		{"archaic words per 100 comment lines", fmt.Sprintf("%.1f", 100*share(m.archaic, m.comments))},
		{"runnable Examples", fmt.Sprint(m.examples)},
		{"commit subjects over 72 characters", fmt.Sprintf("%s of %d", percent(long, len(subjects)), len(subjects))},
	} {
		fmt.Fprintf(w, "%-37s %s\n", row[0], row[1])
	}
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

// examples counts the Examples that go test runs: those with an output.
func examples(file *ast.File) int {
	n := 0
	for _, example := range doc.Examples(file) {
		if example.Output != "" || example.EmptyOutput {
			n++
		}
	}
	return n
}

func (m *measures) declare(set *token.FileSet, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		m.functions = append(m.functions, set.Position(d.End()).Line-set.Position(d.Pos()).Line+1)
		if complexity(d) > maxComplexity {
			m.complex++
		}
		if d.Recv == nil || isExported(d.Recv.List[0].Type) {
			m.name(d.Name, d.Doc)
		}
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

// complexity returns McCabe's cyclomatic complexity, counted as gocyclo does: one, and one for each
// branch, loop, case and boolean operator. Function literals count with the function around them.
func complexity(f *ast.FuncDecl) int {
	n := 1
	ast.Inspect(f, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if node.List != nil {
				n++
			}
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

// isExported reports whether a method's receiver has an exported type.
func isExported(receiver ast.Expr) bool {
	switch t := receiver.(type) {
	case *ast.StarExpr:
		return isExported(t.X)
	case *ast.IndexExpr:
		return isExported(t.X)
	case *ast.IndexListExpr:
		return isExported(t.X)
	case *ast.Ident:
		return t.IsExported()
	}
	return false
}

// name counts an exported function, type, or method of an exported type.
func (m *measures) name(id *ast.Ident, doc *ast.CommentGroup) {
	if !id.IsExported() {
		return
	}
	m.exported++
	if doc != nil {
		m.documented++
	}
}

// subjectsOf returns the subjects of commits, merges left out.
func subjectsOf(folder, commits string) ([]string, error) {
	cmd := exec.Command("git", "-C", folder, "log", "--no-merges", "--format=%s", commits, "--")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("read commits: %w", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), nil
}

func percent(part, whole int) string { return fmt.Sprintf("%.1f%%", 100*share(part, whole)) }

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }

func spread(numbers []int) string {
	if len(numbers) == 0 {
		return "–"
	}
	slices.Sort(numbers)
	return fmt.Sprintf("%d / %d / %d", numbers[len(numbers)/2], numbers[len(numbers)*9/10], numbers[len(numbers)-1])
}
