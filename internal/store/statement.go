package store

import (
	"regexp"
	"strconv"
	"strings"
)

// statement is a configured statement with the name of its setting.
type statement struct{ setting, text string }

func (o Options) tokenQuery() statement   { return statement{settingTokenQuery, o.TokenQuery} }
func (o Options) profileQuery() statement { return statement{settingProfileQuery, o.ProfileQuery} }
func (o Options) suppressionQuery() statement {
	return statement{settingSuppressionQuery, o.SuppressionQuery}
}
func (o Options) tokenClear() statement   { return statement{settingTokenClear, o.TokenClear} }
func (o Options) tokenRestore() statement { return statement{settingTokenRestore, o.TokenRestore} }

// isQuery reports whether the statement reads rows. Other statements run for a user ($1) and a
// token ($2).
func (s statement) isQuery() bool {
	return s.setting == settingTokenQuery || s.setting == settingProfileQuery || s.setting == settingSuppressionQuery
}

// description is what a database knows of a statement that it parsed but did not run.
type description struct {
	params  []column
	columns []column

	changes   bool // it changes rows
	mayChange bool // it calls a function that may
}

// column describes a column or a parameter. In SQLite typ is what the table declares, and the class
// is unknown.
type column struct {
	name, typ string
	class     class
}

// class groups types by what they can hold.
type class uint8

const (
	classUnknown class = iota
	classText
	classJSON
	classArray
	classOther
)

// findProblem returns why a statement cannot work, or "" if nothing proves that it cannot.
func (s statement) findProblem(d description) string {
	if s.isQuery() {
		return s.findQueryProblem(d)
	}
	switch {
	case len(d.params) != 2:
		return countPhrase(len(d.params), "parameter") + ", but needs two: $1 the user, $2 the token"
	case d.params[0].class == classArray:
		return "takes an array in $1, but is run for one user: compare with = $1"
	case d.params[1].class != classText && d.params[1].class != classUnknown:
		return "takes the token, $2, as " + d.params[1].typ + ": $1 is the user and $2 the token"
	case isTokenName(s.comparedColumn(`=\s*\$1`)) && isIDName(s.comparedColumn(`=\s*\$2`)):
		return "compares a token with $1 and an id with $2: $1 is the user and $2 the token"
	case !d.changes && !d.mayChange:
		return "changes no row: use an UPDATE or a DELETE, alone or after WITH"
	}
	return ""
}

func (s statement) findQueryProblem(d description) string {
	switch {
	case d.changes:
		return "changes rows, but must only read"
	case len(d.params) != 1:
		return countPhrase(len(d.params), "parameter") + ", but needs one: $1, the ids of many users"
	case d.params[0].class == classOther, d.params[0].class == classJSON, d.params[0].class != classArray && directlyCompared.MatchString(s.code()):
		return "takes one id in $1, but receives the ids of many users at once"
	case s.setting == settingSuppressionQuery && len(d.columns) != 1:
		return "returns " + strings.TrimPrefix(countPhrase(len(d.columns), "column"), "has ") + ", but must return one, the id: each row is a suppressed user"
	case s.setting == settingSuppressionQuery:
		return ""
	}
	return s.findValueProblem(d)
}

// findValueProblem returns why the columns of a query for ids with their values cannot be read.
func (s statement) findValueProblem(d description) string {
	what := "token"
	if s.setting == settingProfileQuery {
		what = "profile"
	}
	switch {
	case len(d.columns) < 2, len(d.columns) > 2 && what == "profile":
		return "returns " + strings.TrimPrefix(countPhrase(len(d.columns), "column"), "has ") + ", but must return two: the id, then the " + what + devicesHint(what)
	case s.isSwapped(d):
		return "returns the " + what + " before the id: swap its columns"
	}
	if problem := findDeviceProblem(d.columns); what == "token" && problem != "" {
		return problem
	}
	value := d.columns[1]
	if value.class == classText || value.class == classUnknown || value.class == classJSON && what == "profile" {
		return ""
	}
	return "returns " + value.typ + " in its second column, where the " + what + " must be a text"
}

// devicesHint names the columns that may follow.
func devicesHint(what string) string {
	if what != "token" {
		return ""
	}
	return "; " + strings.Join(deviceColumnNames, ", ") + " may follow"
}

// directlyCompared matches $1 in the place of a single value.
var directlyCompared = regexp.MustCompile(`(?i)(=|<>|\blike|\bin\s*\()\s*(\$1|\?1?|[:@]\w+)\s*(::\s*(text|varchar)\s*)?(\)|;|$|\band\b|\bor\b|\border\b|\blimit\b)`)

// isSwapped reports whether the query returns the value before the id. It looks for the column that
// is compared with the ids, and for telling column names.
func (s statement) isSwapped(d description) bool {
	first, second := strings.ToLower(d.columns[0].name), strings.ToLower(d.columns[1].name)
	compared := s.comparedColumn(`=\s*any\s*\(\s*\$1`)
	if compared == "" {
		compared = s.comparedColumn(`\bin\s*\(\s*select\s+value\s+from\s+json_each`)
	}
	if compared != "" && compared == second && compared != first {
		return true
	}
	return isTokenName(first) && isIDName(second)
}

// comparedColumn returns the column before an operator, in lower case and without its table.
func (s statement) comparedColumn(operator string) string {
	found := regexp.MustCompile(`(?i)([\w"]+)\s*(?:::\s*\w+\s*)?` + operator).FindStringSubmatch(s.code())
	if found == nil {
		return ""
	}
	return strings.ToLower(strings.Trim(found[1], `"`))
}

func isTokenName(name string) bool {
	return strings.Contains(name, "token") && !isIDName(name)
}

func isIDName(name string) bool {
	return name == "id" || name == "uid" || name == "uuid" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "userid")
}

// countPhrase returns a phrase such as "has no column" or "has 3 columns".
func countPhrase(n int, of string) string {
	switch n {
	case 0:
		return "has no " + of
	case 1:
		return "has one " + of
	}
	return "has " + strconv.Itoa(n) + " " + of + "s"
}

// nonCode matches literals and comments. Quoted names stay.
var nonCode = regexp.MustCompile(`(?s)'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\w*\$`)

// code returns the statement without literals and comments.
func (s statement) code() string { return strings.TrimSpace(nonCode.ReplaceAllString(s.text, " ")) }

// hasSeveral reports whether the text holds more than one statement.
func (s statement) hasSeveral() bool {
	before, after, found := strings.Cut(s.code(), ";")
	return found && strings.TrimSpace(before) != "" && strings.Trim(after, "; \n\t\r") != ""
}
