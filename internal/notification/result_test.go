package notification

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// The number of codes counted by name is limited, and each of Fanfare's codes is on the list.
func TestCommonCodesAreFew(t *testing.T) {
	if n := len(commonCodes) + MaxRareCodes; n > MaxCodes {
		t.Errorf("%d codes are counted by name, want at most %d", n, MaxCodes)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "result.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		found++
		if code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value); err != nil || IsRareCode(code) {
			t.Errorf("%s is counted as a rare code: put it on the list", spec.Names[0].Name)
		}
		return true
	})
	if found < 9 {
		t.Errorf("only %d codes found", found)
	}
	for code, want := range map[string]bool{"": false, "UNREGISTERED": false, "NOT_FOUND": false, "OTHER": false, "HTTP_418": true, "NEW_WORD": true} {
		if IsRareCode(code) != want {
			t.Errorf("%q is rare: %t, want %t", code, !want, want)
		}
	}
}
