package where

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// names collects the identifiers of a condition.
type names struct {
	all, declared, called []string
	unknown               *ast.IdentifierNode // a function that does not exist, or one of ours
}

func (n *names) Visit(node *ast.Node) {
	switch found := (*node).(type) {
	case *ast.IdentifierNode:
		if strings.HasPrefix(found.Value, "$") {
			n.unknown = found
		}
		n.all = append(n.all, found.Value)
	case *ast.VariableDeclaratorNode:
		n.declared = append(n.declared, found.Name)
	case *ast.CallNode:
		if callee, ok := found.Callee.(*ast.IdentifierNode); ok {
			n.called = append(n.called, callee.Value)
			if callee.Value != numberName {
				n.unknown = callee
			}
		}
	}
}

// check refuses names that no field and no function can have.
func (n *names) check(text string) error {
	if n.unknown == nil {
		return nil
	}
	at := (&file.Error{Location: n.unknown.Location()}).Bind(file.NewSource(text))
	return &Error{Line: at.Line, Column: at.Column + 1, Problem: "there is no function " + n.unknown.Value}
}

// used are the names of fields, each once.
func (n *names) used() []string {
	isOther := func(name string) bool { return slices.Contains(n.declared, name) || slices.Contains(n.called, name) }
	slices.Sort(n.all)
	return slices.DeleteFunc(slices.Compact(n.all), isOther)
}

// The names of our functions, which no one can type.
const (
	compareName = "$compare"
	isTrueName  = "$isTrue"
)

// numberName is a function that makes a number of a text, because columns of CSV are texts.
const numberName = "number"

// nilSafe changes a condition so that what is missing is no error: a member of nil is nil, a
// comparison with nil is false, and so is nil where a condition is wanted.
type nilSafe struct{}

func (nilSafe) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		n.Optional = true
		ast.Patch(node, &ast.ChainNode{Node: n})
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			n.Node = asCondition(n.Node)
		}
	case *ast.ConditionalNode:
		n.Cond = asCondition(n.Cond)
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and", "||", "or":
			n.Left, n.Right = asCondition(n.Left), asCondition(n.Right)
		case "<", "<=", ">", ">=", "contains", "startsWith", "endsWith":
			ast.Patch(node, call(compareName, &ast.StringNode{Value: n.Operator}, n.Left, n.Right))
		}
	}
}

// asCondition has a value of unknown type taken as false if it is nil.
func asCondition(n ast.Node) ast.Node {
	switch n.(type) {
	case *ast.IdentifierNode, *ast.ChainNode:
		return call(isTrueName, n)
	}
	return n
}

func call(name string, arguments ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: arguments}
}

// functions are those that conditions have beside the ones of the language.
func functions() []expr.Option {
	return []expr.Option{
		expr.Function(compareName, func(p ...any) (any, error) { return compare(p[0].(string), p[1], p[2]) }, new(func(string, any, any) bool)),
		expr.Function(isTrueName, func(p ...any) (any, error) { return isTrue(p[0]) }, new(func(any) bool)),
		expr.Function(numberName, func(p ...any) (any, error) { return toNumber(p[0]) }, new(func(any) any)),
	}
}

// isTrue is a value as a condition.
func isTrue(value any) (bool, error) {
	switch v := value.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", typeName(value))
}

// compare applies an operator to two values. It is false if one is missing.
func compare(operator string, a, b any) (bool, error) {
	if a == nil || b == nil {
		return false, nil
	}
	if list := reflect.ValueOf(a); operator == "contains" && list.Kind() == reflect.Slice {
		return containsValue(list, b), nil
	}
	textA, isText := a.(string)
	textB, isTextB := b.(string)
	if isText && isTextB {
		return compareTexts(operator, textA, textB), nil
	}
	numberA, isNumber := number(a)
	numberB, isNumberB := number(b)
	order := cmp.Compare(numberA, numberB)
	switch {
	case !isNumber || !isNumberB || len(operator) > 2: // contains and its like
		return false, fmt.Errorf("%s %s %s: want two numbers or two texts; number(x) makes a number of a text", typeName(a), operator, typeName(b))
	default:
		return holds(operator, order), nil
	}
}

func compareTexts(operator, a, b string) bool {
	switch operator {
	case "contains":
		return strings.Contains(a, b)
	case "startsWith":
		return strings.HasPrefix(a, b)
	case "endsWith":
		return strings.HasSuffix(a, b)
	}
	return holds(operator, cmp.Compare(a, b))
}

// holds reports whether an operator holds of two values in an order.
func holds(operator string, order int) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func containsValue(list reflect.Value, value any) bool {
	for i := range list.Len() {
		if list.Index(i).Interface() == value {
			return true
		}
	}
	return false
}

// number is a value as a number, if it is one.
func number(value any) (float64, bool) {
	v := reflect.ValueOf(value)
	switch {
	case v.CanFloat():
		return v.Float(), true
	case v.CanInt():
		return float64(v.Int()), true
	}
	return 0, false
}

// toNumber is a text or a number as a number. Nothing stays nothing.
func toNumber(value any) (any, error) {
	if n, ok := number(value); ok {
		return n, nil
	}
	text, ok := value.(string)
	if value == nil || ok && strings.TrimSpace(text) == "" {
		return nil, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if !ok || err != nil {
		return nil, fmt.Errorf("number: %s is no number", typeName(value))
	}
	return n, nil
}

// typeName names the type of a value, without the value, which may be personal.
func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool:
		return "a flag"
	case map[string]any:
		return "an object"
	}
	if _, ok := number(value); ok {
		return "a number"
	}
	return "a list"
}
