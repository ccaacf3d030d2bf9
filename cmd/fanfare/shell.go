package main

import (
	"strconv"
	"strings"
	"unicode"
)

// word writes a campaign's id as it is typed in a shell.
func word(id string) string {
	special := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_@%+=:,./-", r)
	}
	switch {
	case id != "" && !strings.ContainsFunc(id, special):
		return id
	case printable(id) == id:
		return "'" + strings.ReplaceAll(id, "'", `'\''`) + "'"
	}
	quoted := strconv.Quote(id)
	escaped := quoted[1 : len(quoted)-1]
	return "$'" + strings.ReplaceAll(escaped, "'", `\'`) + "'"
}
