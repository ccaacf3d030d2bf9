// Package where selects recipients by a condition, such as platform == "ios" && country in ["VN",
// "TH"]. The language is that of github.com/expr-lang/expr. What a recipient lacks is nil, and a
// comparison with nil is false.
package where

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// MaxText is the longest condition in bytes.
const MaxText = 8192

// profileName is the name of the user's profile in a condition.
const profileName = "profile"

// Filter is a compiled condition. Only one goroutine may use it.
type Filter struct {
	text    string
	program *vm.Program
	names   []string // the condition's, without profile
	seen    []bool   // those that a recipient had
	profile bool
	machine vm.VM
	env     map[string]any
}

// Error says why a text is no condition, and where.
type Error struct {
	Line, Column int // from 1; zero if the place is unknown
	Problem      string
}

func (e *Error) Error() string {
	switch {
	case e.Line > 1:
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
	case e.Line == 1:
		return fmt.Sprintf("column %d: %s", e.Column, e.Problem)
	}
	return e.Problem
}

// Compile reads a condition. Its error is an *Error.
func Compile(text string) (*Filter, error) {
	if len(text) > MaxText {
		return nil, &Error{Problem: fmt.Sprintf("is %d bytes long, over the limit of %d", len(text), MaxText)}
	}
	var found names
	options := append([]expr.Option{
		expr.Env(map[string]any{}), expr.AllowUndefinedVariables(), expr.AsBool(), expr.Patch(&found), expr.Patch(nilSafe{}),
		expr.DisableBuiltin("now"), // a load that is continued must select the same
	}, functions()...)
	program, err := expr.Compile(text, options...)
	if err != nil {
		return nil, explain(err)
	}
	if err := found.check(text); err != nil {
		return nil, err
	}
	f := &Filter{text: text, program: program, env: make(map[string]any)}
	for _, name := range found.used() {
		if name == profileName {
			f.profile = true
			continue
		}
		f.names = append(f.names, name)
	}
	f.seen = make([]bool, len(f.names))
	return f, nil
}

func explain(err error) error {
	at, ok := errors.AsType[*file.Error](err)
	if !ok {
		return &Error{Problem: err.Error()}
	}
	return &Error{Line: at.Line, Column: at.Column + 1, Problem: at.Message}
}

// String is the text of the condition.
func (f *Filter) String() string { return f.text }

// NeedsProfile reports whether the condition has the user's profile.
func (f *Filter) NeedsProfile() bool { return f.profile }

// Unseen are the names of the condition that no recipient had so far. They may be misspelled.
func (f *Filter) Unseen() []string {
	var all []string
	for i, name := range f.names {
		if !f.seen[i] {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Match reports whether the condition is true of an element with the user's profile, which may be
// nil. An error is the fault of this recipient's values, such as a text that is compared with a
// number.
func (f *Filter) Match(element []byte, profile map[string]json.RawMessage) (bool, error) {
	if err := f.fill(element, profile); err != nil {
		return false, err
	}
	out, err := f.machine.Run(f.program, f.env)
	if err != nil {
		return false, explain(err)
	}
	is, ok := out.(bool)
	return ok && is, nil
}
