package store

import (
	"regexp"
	"strconv"
	"strings"
)

// statement is a configured one, with the setting's name.
type statement struct{ setting, text string }

func (o Options) querying() statement  { return statement{settingTokenQuery, o.TokenQuery} }
func (o Options) profiling() statement { return statement{settingProfileQuery, o.ProfileQuery} }
func (o Options) clearing() statement  { return statement{settingTokenClear, o.TokenClear} }
func (o Options) restoring() statement { return statement{settingTokenRestore, o.TokenRestore} }

// isQuery reports whether the statement reads rows; else it is run for a user ($1) and a token ($2).
func (s statement) isQuery() bool {
	return s.setting == settingTokenQuery || s.setting == settingProfileQuery
}

// description is what a database says of a statement that it has read and not run.
type description struct {
	params  []column
	columns []column

	changes   bool // it changes rows
	mayChange bool // it calls a function that may
}

// column is one of an answer, or a parameter; a database without types leaves the type out.
type column struct {
	name, typ string
	class     class
}

// class is what a type can hold.
type class uint8

const (
	classUnknown class = iota
	classText
	classJSON
	classArray
	classOther
)

// problem says why a statement cannot do its work; empty: nothing proves that it cannot.
func (s statement) problem(d description) string {
	if s.isQuery() {
		return s.queryProblem(d)
	}
	switch {
	case len(d.params) != 2:
		return count(len(d.params), "parameter") + ", but needs two: $1 the user, $2 the token"
	case d.params[0].class == classArray:
		return "takes an array in $1, but is run for one user: compare with = $1"
	case d.params[1].class != classText && d.params[1].class != classUnknown:
		return "takes the token, $2, as " + d.params[1].typ + ": $1 is the user and $2 the token"
	case isTokenName(s.compared(`=\s*\$1`)) && isIDName(s.compared(`=\s*\$2`)):
		return "compares a token with $1 and an id with $2: $1 is the user and $2 the token"
	case !d.changes && !d.mayChange:
		return "changes no row: an UPDATE or a DELETE does, also behind WITH"
	}
	return ""
}

func (s statement) queryProblem(d description) string {
	what := "token"
	if s.setting == settingProfileQuery {
		what = "profile"
	}
	switch {
	case d.changes:
		return "changes rows, but must only read"
	case len(d.params) != 1:
		return count(len(d.params), "parameter") + ", but needs one: $1, the ids of many users"
	case d.params[0].class == classOther, d.params[0].class == classJSON, d.params[0].class != classArray && directlyCompared.MatchString(s.code()):
		return "takes one id in $1, but gets those of many users at once"
	case len(d.columns) != 2:
		return "returns " + strings.TrimPrefix(count(len(d.columns), "column"), "has ") + ", but must return two: the id, then the " + what
	case s.isSwapped(d):
		return "returns the " + what + " before the id: swap its columns"
	}
	value := d.columns[1]
	if value.class == classText || value.class == classUnknown || value.class == classJSON && what == "profile" {
		return ""
	}
	return "returns " + value.typ + " in its second column, where the " + what + " must be a text"
}

// directlyCompared finds $1 where a single value belongs.
var directlyCompared = regexp.MustCompile(`(?i)(=|<>|\blike|\bin\s*\()\s*(\$1|\?1?|[:@]\w+)\s*(::\s*(text|varchar)\s*)?(\)|;|$|\band\b|\bor\b|\border\b|\blimit\b)`)

// isSwapped reports whether the second column is the one that is compared with the ids, or both have names that say so.
func (s statement) isSwapped(d description) bool {
	first, second := strings.ToLower(d.columns[0].name), strings.ToLower(d.columns[1].name)
	compared := s.compared(`=\s*any\s*\(\s*\$1`)
	if compared == "" {
		compared = s.compared(`\bin\s*\(\s*select\s+value\s+from\s+json_each`)
	}
	if compared != "" && compared == second && compared != first {
		return true
	}
	return isTokenName(first) && isIDName(second)
}

// compared is the column before an operator, in lower case and without its table.
func (s statement) compared(operator string) string {
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

// count says how many there are of something.
func count(n int, of string) string {
	switch n {
	case 0:
		return "has no " + of
	case 1:
		return "has one " + of
	}
	return "has " + strconv.Itoa(n) + " " + of + "s"
}

// noise are the parts of a statement in which nothing counts: texts and comments. Quoted names stay.
var noise = regexp.MustCompile(`(?s)'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\w*\$`)

// code is the statement without texts and comments.
func (s statement) code() string { return strings.TrimSpace(noise.ReplaceAllString(s.text, " ")) }

// several reports whether there is more than one statement.
func (s statement) several() bool {
	before, after, found := strings.Cut(s.code(), ";")
	return found && strings.TrimSpace(before) != "" && strings.Trim(after, "; \n\t\r") != ""
}
